# SPDX-License-Identifier: Apache-2.0
"""The style sheet of report pages, light and dark."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --page: #f6f6f3; --surface: #ffffff; --ink: #1d2126; --muted: #656d76; --line: #e2e2dc;
  --grid: #e9e9e4; --tint: #f1f5f9; --code: #f3f3ef; --good: #1a7f4b; --bad: #b3382c;
  --open: #3a5a86; --care: #8a5a00; --care-tint: #fff7e3; --care-line: #ecd9a6;
  --quiet: #c2c9d1; --shade: rgba(20, 30, 40, .16);
  --series-0: #2563b8; --series-1: #d2691e; --series-2: #1f8a62; --series-3: #a8397f;
  --series-4: #7a5bc0; --series-5: #8a7a1c;
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --surface: #1b1f25; --ink: #e6e8eb; --muted: #98a1ab; --line: #2d333b;
    --grid: #2a3038; --tint: #222a35; --code: #22272e; --good: #4cc38a; --bad: #f0796b;
    --open: #8db4ea; --care: #e5b95c; --care-tint: #2a2418; --care-line: #4d3f20;
    --quiet: #4b5561; --shade: rgba(0, 0, 0, .55);
    --series-0: #6ba6f5; --series-1: #f0985a; --series-2: #54c79b; --series-3: #e283bd;
    --series-4: #b39cf0; --series-5: #d3c25a;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.6 var(--sans); }
main { max-width: 1140px; margin: 0 auto; padding: 3.2rem 2rem 4rem; }
h1 { font-size: clamp(1.6rem, 1.2rem + 1.6vw, 2.3rem); line-height: 1.18; margin: 0;
  letter-spacing: -.018em; font-weight: 680; text-wrap: balance; }
h2 { font-size: 1.16rem; line-height: 1.3; margin: 0 0 .9rem; letter-spacing: -.008em;
  font-weight: 650; }
p { margin: 0 0 .9rem; max-width: 44rem; overflow-wrap: break-word; }
.eyebrow { font-size: .84rem; font-weight: 600; color: var(--open); margin: 0 0 .5rem; }
.eyebrow span { font: .78rem var(--mono); color: var(--muted); margin-left: .5rem; }
.subtitle { color: var(--muted); font-size: 1.06rem; margin: .6rem 0 0; }
.verdict { display: flex; gap: 1rem; align-items: baseline; margin-top: 1.6rem;
  padding: 1.05rem 1.3rem; background: var(--surface); border: 1px solid var(--line);
  border-radius: 8px; box-shadow: inset 5px 0 0 var(--mark); }
.verdict p { margin: 0; font-size: 1.08rem; line-height: 1.5; max-width: 50rem; }
.verdict .badge { flex: none; color: var(--mark); font-weight: 680; font-size: .95rem; }
.holds { --mark: var(--good); } .fails { --mark: var(--bad); } .open { --mark: var(--open); }
section, .warnings { background: var(--surface); border: 1px solid var(--line);
  border-radius: 8px; padding: 1.5rem 1.6rem 1.3rem; margin-top: 1.3rem; }
.warnings { background: var(--care-tint); border-color: var(--care-line); padding-bottom: .9rem; }
.warnings h2 { color: var(--care); font-size: 1rem; margin-bottom: .4rem; }
.warnings ul { margin: 0; padding-left: 1.1rem; } .warnings li { margin: .2rem 0; }
.scroll { overflow-x: auto; -webkit-overflow-scrolling: touch; }
.scroll:has(> table) { background: linear-gradient(to right, var(--surface) 40%, transparent),
  linear-gradient(to left, var(--surface) 40%, transparent) right,
  radial-gradient(farthest-side at 0 50%, var(--shade), transparent),
  radial-gradient(farthest-side at 100% 50%, var(--shade), transparent) right;
  background-size: 3rem 100%, 3rem 100%, .9rem 100%, .9rem 100%; background-repeat: no-repeat;
  background-attachment: local, local, scroll, scroll; }
.scroll:focus-visible { outline: 2px solid var(--open); outline-offset: 2px; }
figure { margin: 0 0 1.2rem; min-width: 0; } section > :last-child { margin-bottom: .3rem; }
figcaption { white-space: pre-line; color: var(--muted); font-size: .88rem; line-height: 1.5;
  margin-top: .6rem; max-width: 46rem; }
.figures { display: grid; gap: 1.4rem 2rem; margin-bottom: 1.2rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
.figures figure { margin: 0; } .figures .wide { grid-column: 1 / -1; }
.figures svg { display: block; width: 100%; height: auto;
  stroke-linejoin: round; stroke-linecap: butt; }
.figures svg text { font-family: var(--sans) !important; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; line-height: 1.4;
  font-variant-numeric: tabular-nums; }
th, td { padding: .5rem .65rem; text-align: left; border-bottom: 1px solid var(--line);
  white-space: nowrap; }
th:first-child, td:first-child { padding-left: .5rem; }
thead th { font-weight: 600; font-size: .84rem; color: var(--muted); vertical-align: bottom;
  white-space: normal; line-height: 1.3; border-bottom-color: var(--muted); }
tbody th { font-weight: 500; } tbody tr:last-child > * { border-bottom: 0; }
.n { text-align: right; }
table.small { width: auto; } table.small th, table.small td { padding-right: 2.2rem; }
strong { font-weight: 680; color: var(--good); }
.highlight > * { background: var(--tint); } .highlight th { font-weight: 680; }
.hints { display: grid; grid-template-columns: max-content 1fr; gap: .2rem .9rem;
  font-size: .85rem; line-height: 1.45; color: var(--muted); margin: .8rem 0 0; }
.hints dt { font-weight: 600; } .hints dd { margin: 0; }
.facts { display: grid; gap: .1rem 2rem; margin: .4rem 0 .9rem; font-size: .9rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 290px), 1fr)); }
.facts div { display: flex; justify-content: space-between; gap: 1rem; padding: .26rem 0;
  border-bottom: 1px solid var(--line); }
.facts dt { color: var(--muted); }
.facts dd { margin: 0; text-align: right; overflow-wrap: anywhere; min-width: 0;
  font-variant-numeric: tabular-nums; }
pre { margin: 0; font: .84rem/1.5 var(--mono); padding: .9rem 1.1rem; background: var(--code);
  border-radius: 6px; width: max-content; min-width: 100%; }
.command { margin-bottom: .9rem; }
details { border-top: 1px solid var(--line); }
summary { cursor: pointer; padding: .6rem 0; font-weight: 550; font-size: .94rem; }
summary:hover { color: var(--open); }
@media (max-width: 640px) {
  body { font-size: 15.5px; }
  main { padding: 1.5rem .9rem 2.5rem; }
  section, .warnings { padding: 1.1rem 1rem 1rem; }
  .verdict { flex-direction: column; gap: .25rem; padding: .9rem 1rem; }
  th, td { padding: .45rem .6rem; }
  tbody th { position: sticky; left: 0; background: var(--surface); white-space: normal;
    min-width: 7.5rem; max-width: 9.5rem; line-height: 1.3; }
  .highlight th { background: var(--tint); }
  .hints { grid-template-columns: 1fr; gap: 0; } .hints dd { margin-bottom: .4rem; }
}
@media (min-width: 641px) {
  thead th:first-child, tbody th:first-child { min-width: 9rem; }
}
@media print {
  body { background: #fff; } main { max-width: none; padding: 0; }
  section, .warnings, .verdict { break-inside: avoid; border-radius: 0; }
}
"""
