// SPDX-License-Identifier: Apache-2.0
// Directed frequencies: a coarse logarithmic grid finds the cell, then a root is refined in the
// logarithm of the frequency, every lane at its own frequencies.
#include "circuit_sim/pass.hpp"

namespace wb::circuit_sim::WB_ISA {
namespace {

enum Request : std::int64_t { kHalfPower, kUnity, kPeak };

struct Response {
    V re, im;              // H
    V slope_re, slope_im;  // dH / d ln f
};

inline V square(V re, V im) { return re * re + im * im; }

/// a / b, without slopes.
inline Response quotient(const Response& a, const Response& b) {
    const V scale = 1.0 / square(b.re, b.im);
    return {(a.re * b.re + a.im * b.im) * scale, (a.im * b.re - a.re * b.im) * scale, V{}, V{}};
}

/// What a search looks at: a transfer, or the ratio of two (a loop gain), to one drive.
struct Search {
    Pass<1>& pass;
    int pair, over, drive;  // over: the pair below the ratio's line, -1 for none
    const V *re, *im;       // coarse responses, [points]

    /// Transfer to one pair and its slope at the frequency of the factors.
    Response transfer(int of) const {
        const PlanView& p = pass.p;
        const Index nodes = pass.task.pairs + 2 * of;
        const V omega = pass.factors.omega[0];
        solve_adjoint(p, pass.small, pass.factors, nodes, pass.z, pass.work);
        const Complex<1> h =
            transfer_of(p, pass.small, pass.factors, pass.task, drive, nodes, pass.z);
        // dH / d omega = -j z . (C x + forcing of the drive)
        V sum_re{}, sum_im{};
        for (int e = 0; e < p.n_ac_entries; ++e) {
            const Complex<1>&z = pass.z[p.ac_rows[e]], &x = pass.x[p.ac_columns[e]];
            const V c = pass.small.c[e];
            sum_re += c * (z.re[0] * x.re[0] - z.im[0] * x.im[0]);
            sum_im += c * (z.re[0] * x.im[0] + z.im[0] * x.re[0]);
        }
        for (int u = 0; u < p.n_unknowns; ++u) {
            const V c = pass.small.drive_c[drive * p.n_unknowns + u];
            sum_re += c * pass.z[u].re[0];
            sum_im += c * pass.z[u].im[0];
        }
        return {h.re[0], h.im[0], omega * sum_im, -omega * sum_re};
    }

    /// The response and its slope at every lane's ln f.
    Response at(V log_frequency) const {
        const PlanView& p = pass.p;
        pass.factors.omega[0] = kTwoPi * exponential(log_frequency);
        factor(p.ac, pass.small, pass.factors);
        solve_drive(p, pass.small, pass.factors, drive, pass.x, pass.work);
        const Response h = transfer(pair);
        if (over < 0) return h;
        const Response d = transfer(over);
        const Response r = quotient(h, d);
        // d(h / d) = (dh - r dd) / d
        const Response top{h.slope_re - (r.re * d.slope_re - r.im * d.slope_im),
                           h.slope_im - (r.re * d.slope_im + r.im * d.slope_re), V{}, V{}};
        const Response slope = quotient(top, d);
        return {r.re, r.im, slope.re, slope.im};
    }
};

inline V at_index(const V* list, Mask index) {
    V out{};
    for (int l = 0; l < kLanes; ++l) out[l] = list[index[l]][l];
    return out;
}

/// Phase of H relative to its first value, followed along the grid up to `cell` and on to h.
V followed_phase(const Search& s, int points, Mask cell, V h_re, V h_im) {
    const V r0 = s.re[0], i0 = s.im[0];
    V before_re = square(r0, i0), before_im{}, turns{};
    const auto step = [&](V re, V im, Mask counts) {
        const V a = re * r0 + im * i0, b = im * r0 - re * i0;  // relative to the first
        const V cross = b * before_re - a * before_im;
        turns += choose(counts & (before_im >= V{}) & (b < V{}) & (cross > V{}), all(1.0), V{});
        turns -= choose(counts & (before_im < V{}) & (b >= V{}) & (cross < V{}), all(1.0), V{});
        before_re = choose(counts, a, before_re);
        before_im = choose(counts, b, before_im);
    };
    for (int i = 1; i < points; ++i) {
        const Mask counts = (Mask{} + i) <= cell;
        if (any(counts)) step(s.re[i], s.im[i], counts);
    }
    step(h_re, h_im, ~Mask{});
    V out{};
    for (int l = 0; l < kLanes; ++l) out[l] = __builtin_atan2(before_im[l], before_re[l]);
    return out + kTwoPi * turns;
}

struct Found {
    V log_frequency;
    Mask valid, cell;
    Response response;
};

/// First passage of |H| below a level.
Found crossing(const Search& s, int points, double low, double stride, V level) {
    const V goal = level * level;
    Mask found{}, cell{};
    const V first = square(s.re[0], s.im[0]);
    Mask above = (first >= goal) & (goal > V{});
    const Mask begins_above = above;
    for (int i = 0; i + 1 < points; ++i) {
        const Mask next = square(s.re[i + 1], s.im[i + 1]) >= goal;
        const Mask here = ~found & above & ~next;
        cell = here ? Mask{} + i : cell;
        found |= here;
        above = next;
    }
    found &= begins_above;
    const V index = __builtin_convertvector(cell, V);
    V lower = low + stride * index, upper = lower + stride;
    const V log_goal = logarithm(choose(goal > V{}, goal, all(1.0)));
    const auto height = [&](V size) { return logarithm(larger(size, all(1e-300))) - log_goal; };
    const V g0 = height(square(at_index(s.re, cell), at_index(s.im, cell)));
    const V g1 = height(square(at_index(s.re, cell + 1), at_index(s.im, cell + 1)));
    V x = choose(found, lower + stride * g0 / (g0 - g1), lower + 0.5 * stride);
    Response h{};
    Mask open = found;
    for (int iteration = 0; iteration < 60; ++iteration) {
        h = s.at(x);
        const V size = square(h.re, h.im), g = height(size);
        if (!any(open)) break;
        const V slope = 2.0 * (h.re * h.slope_re + h.im * h.slope_im) / size;
        lower = choose(g >= V{}, larger(lower, x), lower);
        upper = choose(g < V{}, smaller(upper, x), upper);
        V next = x - g / slope;
        next = choose((next >= lower) & (next <= upper), next, 0.5 * (lower + upper));
        const Mask done = magnitude(next - x) < all(1e-13);
        x = choose(open, next, x);
        open &= ~done;
    }
    return {x, found, cell, h};
}

/// Where |H| is largest: the lowest frequency if the grid's maximum is there, else a root of
/// d|H|/d ln f in the cell beside the grid's maximum.
Found peak(const Search& s, int points, double low, double stride) {
    Mask best{};
    V most = square(s.re[0], s.im[0]);
    for (int i = 1; i < points; ++i) {
        const V size = square(s.re[i], s.im[i]);
        best = size > most ? Mask{} + i : best;
        most = larger(most, size);
    }
    const Mask last = Mask{} + (points - 1);
    V x = low + stride * __builtin_convertvector(best, V);
    Response h = s.at(x);
    const auto rise = [](const Response& r) {
        return (r.re * r.slope_re + r.im * r.slope_im) / square(r.re, r.im);
    };
    const V r0 = rise(h);
    const Mask up = r0 > V{};
    const Mask fixed = (best == Mask{}) | ((best == last) & up);
    Mask open = ~fixed & finite(r0);
    Mask cell = up ? best : best - 1;
    cell = fixed ? (best == last ? last - 1 : best) : cell;
    // Between a (rising) and b (falling), by the Illinois variant of false position.
    V a = choose(up, x, x - stride), b = choose(up, x + stride, x);
    V ra{}, rb{};
    if (any(open)) {
        const Response other = s.at(choose(up, b, a));
        const V r1 = rise(other);
        ra = choose(up, r0, r1);
        rb = choose(up, r1, r0);
        open &= (ra > V{}) & (rb <= V{});
    }
    V side{};
    for (int iteration = 0; iteration < 60 && any(open); ++iteration) {
        V next = (a * rb - b * ra) / (rb - ra);
        next = choose((next > a) & (next < b), next, 0.5 * (a + b));
        const V at_x = choose(open, next, x);
        h = s.at(at_x);
        const V r = rise(h);
        const Mask done = (magnitude(at_x - x) < all(1e-12)) | (b - a < all(1e-12)) | (r == V{});
        x = at_x;
        const Mask right = r > V{};
        rb = choose(open & right & (side > V{}), 0.5 * rb, rb);
        ra = choose(open & ~right & (side < V{}), 0.5 * ra, ra);
        a = choose(open & right, x, a);
        ra = choose(open & right, r, ra);
        b = choose(open & ~right, x, b);
        rb = choose(open & ~right, r, rb);
        side = choose(right, all(1.0), all(-1.0));
        open &= ~done;
    }
    h = s.at(x);
    return {x, finite(most) & (most > V{}), cell, h};
}

struct Room {
    Block b;
    Small small;
    Pass<1> one;
    V *re, *im;

    Room(const PlanView& p, const SearchTask& task, Span span, Scratch& scratch)
        : b(open_block(p, task.sweep.rows, span, scratch)),
          small(open_small(p, task.sweep, scratch)),
          one(open_pass<1>(p, task.sweep, span, small, scratch)),
          re(scratch.take(std::int64_t{task.n_requests} * task.points)),
          im(scratch.take(std::int64_t{task.n_requests} * task.points)) {}
};

void search(Room& room, const SearchTask& task) {
    Small& small = room.small;
    Pass<1>& one = room.one;
    V *const re = room.re, *const im = room.im;
    const PlanView& p = room.b.plan;
    const Span span = room.b.span;
    load_nodes(room.b, task.sweep.voltages);
    linearize(room.b, task.sweep, small);
    const std::int64_t points = task.points;
    const double low = __builtin_log(task.low);
    const double stride = (__builtin_log(task.high) - low) / (task.points - 1);

    // Requests on the same response share its coarse values: those of the first.
    const auto column = [&](int r, int k) {
        return static_cast<int>(task.requests[kRequestColumns * r + k]);
    };
    const auto leader = [&](int r) {
        int q = 0;
        while (column(q, 1) != column(r, 1) || column(q, 2) != column(r, 2) ||
               column(q, 3) != column(r, 3)) {
            ++q;
        }
        return q;
    };
    const auto coarse = [&](int output, int drive) {
        const Index nodes = task.sweep.pairs + 2 * task.sweep.output_pair[output];
        solve_adjoint(p, small, one.factors, nodes, one.z, one.work);
        const Complex<1> h = transfer_of(p, small, one.factors, task.sweep, drive, nodes, one.z);
        return Response{h.re[0], h.im[0], V{}, V{}};
    };
    for (std::int64_t i = 0; i < points; ++i) {
        check_interrupt();
        one.factors.omega[0] = all(kTwoPi * __builtin_exp(low + stride * static_cast<double>(i)));
        factor(p.ac, small, one.factors);
        for (int r = 0; r < task.n_requests; ++r) {
            if (leader(r) != r) continue;
            Response h = coarse(column(r, 1), column(r, 2));
            if (column(r, 3) >= 0) h = quotient(h, coarse(column(r, 3), column(r, 2)));
            re[r * points + i] = h.re;
            im[r * points + i] = h.im;
        }
    }
    const V nan = all(__builtin_nan(""));
    for (int r = 0; r < task.n_requests; ++r) {
        check_interrupt();
        const std::int64_t at = leader(r) * points;
        const int over = column(r, 3);
        const Search s{one,
                       task.sweep.output_pair[column(r, 1)],
                       over < 0 ? -1 : task.sweep.output_pair[over],
                       column(r, 2),
                       re + at,
                       im + at};
        Found found;
        switch (column(r, 0)) {
            case kHalfPower:
                found = crossing(s, task.points, low, stride, root(0.5 * square(re[at], im[at])));
                break;
            case kUnity:
                found = crossing(s, task.points, low, stride, all(1.0));
                break;
            default:
                found = peak(s, task.points, low, stride);
        }
        const Response& h = found.response;
        const V phase = followed_phase(s, task.points, found.cell, h.re, h.im);
        const Mask ok = found.valid;
        V f = exponential(found.log_frequency);
        if (column(r, 0) == kPeak) {
            f = choose(found.log_frequency == all(low), all(task.low), f);
            f = choose(found.log_frequency == all(low + stride * (task.points - 1)), all(task.high),
                       f);
        }
        store(task.frequency + r * span.batch, span, choose(ok, f, nan));
        store_complex(task.slope + 2 * r * span.batch, span, choose(ok, h.slope_re, nan),
                      choose(ok, h.slope_im, nan));
        store(task.turn + r * span.batch, span, choose(ok, phase, nan));
    }
}

}  // namespace

SearchKernel search_kernel() { return Opened<Room, SearchTask, &search>::kernel(); }

}  // namespace wb::circuit_sim::WB_ISA
