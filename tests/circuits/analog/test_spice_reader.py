# SPDX-License-Identifier: Apache-2.0
"""Reading decks: ngspice reads the same text, live or recorded, and is the oracle."""

from __future__ import annotations

import math

import pytest
import torch

from circuits.analog import read_spice
from circuits.analog.ngspice import Sweep
from circuits.analog.spice_reader import IGNORED_CARDS, IGNORED_OPTIONS

FREQS = [1e3, 1e6, 3e8]

FEATURES = """Features of decks, one of each   ; the title is a title
* a comment; and a continuation across one
.OPTIONS TNOM=30 gmin=2e-12 reltol=1e-6 method=gear NOACCT
.temp 40
.param vdd=1.8 W1 = 4u rload='2k*scale' scale={1 + 0.5} $ behind a dollar
.param half={vdd/2} area='2*0.3u*w1'
.global vdd
.model nch NMOS (level=1 VTO=0.45 kp=180u gamma=.5, phi=.8 lambda=.06 tox=6n
* in between
+ cgso=.3n cgdo=.3n cj=1m mjsw=.33 cjsw=.2n)
.MODEL pch pmos level=1 vto=-.45 kp=60u gamma=.4 phi=.8 lambda={0.1/scale}
.subckt inv in out wn=2u wp={2*wn} params: l=0.5u
.param double={wn*2}
.model own nmos level=1 vto={0.3+0.1} kp=1e-4
mp out in vdd vdd pch w={wp} l=l ad={wp*0.6u} as={wp*0.6u} pd=8u ps=8u
mn out in gnd 0 nch w=wn l={l} M=2
mx out mid 0 0 own w={double} l=1u
rx mid 0 10k
cx out mid 5f
.ends inv
.subckt pair a b w=1u
xa a m inv wn={w}
xb m b inv wn='w*2' l=1u
.ends
VDD vdd 0 DC {vdd}
vin a 0 {half} ac 1 180
Iload 0 b ac=0.25 dc 1u
X1 a b pair w={w1/2}
x2 b c inv
rl c gnd 'rload'
r2 b 0 r=100meg
cl c 0 c=1e-2p
mdef vdd c e 0 nch
re e 0 10K
.ac dec 5 1k 1meg
.noise v(c,e) vin dec 5 1k 1meg
.tran 1n 1u
.print ac v(c)
.save all
.control
run
plot v(out)
.endc
.end
q1 this is never read
"""

MODELS = """What level 1 makes of absent numbers
.model n1 nmos level=1 vto=.5 tox=10n
.model n2 nmos level=1 tox=10n nsub=1e16
.model n3 nmos level=1 tox=10n nsub=1e16 tpg=-1 uo=500 nss=1e10
.model n4 nmos level=1 tox=10n nsub=1e16 tpg=0 phi=.7 tnom=50
.model n5 nmos level=1 vt0=.6 nsub=1e16 cj=1m cjsw=1n
.model p1 pmos level=1 tox=10n nsub=3e16
.model p2 pmos level=1 tox=20n nsub=3e16 gamma=.3 tpg=-1 rd=0
.model p3 pmos
va a 0 2 ac 1
vb b 0 -2 ac 1
r1 a 1 10k
m1 1 1 0 0 n1 w=10u l=1u
r2 a 2 10k
m2 2 2 0 0 n2 w=10u l=1u
r3 a 3 10k
m3 3 3 0 0 n3 w=10u l=1u
r4 a 4 10k
m4 4 4 0 0 n4 w=10u l=1u
r5 a 5 10k
m5 5 5 0 0 n5 ad=100p pd=40u
r6 b 6 10k
m6 6 6 0 0 p1 w=10u l=1u
r7 b 7 10k
m7 7 7 0 0 p2 w=10u l=1u
r8 b 8 10k
m8 8 8 0 0 p3 w=1m l=1u
.end
"""


def agree(result, said, nodes, relative=1e-9):
    for node in nodes:
        assert float(result.voltage(node)) == pytest.approx(said.op[node], rel=relative, abs=1e-12)
        theirs = torch.from_numpy(said.ac[node])
        error = (result.ac(node)[:, 0] - theirs).abs().max()
        assert float(error) <= relative * float(theirs.abs().max()), node


def test_every_feature_reads_as_ngspice_reads_it(oracle):
    circuit = read_spice(FEATURES)
    deck = FEATURES.replace(".control\nrun\nplot v(out)\n.endc\n", "").split("q1")[0]
    said, source = oracle(
        "reader-features",
        deck,
        ("op", "ac", "noise"),
        freqs=FREQS,
        temp=40.0,
        noise_output=("c", "e"),
    )
    result = circuit.simulate(freqs=FREQS)
    assert result.temperature == 40.0, source
    agree(result, said, [n for n in said.op if n != "0"])
    assert result.noise[:, 0].tolist() == pytest.approx(said.noise.tolist(), rel=1e-9)
    assert float(result.current("vdd")) == pytest.approx(said.currents["vdd"], rel=1e-9)
    assert {n.lower() for n in circuit.nodes} == set(said.op)


def test_features_are_there_by_name():
    circuit = read_spice(FEATURES)
    assert circuit.title == "Features of decks, one of each ; the title is a title"
    assert list(circuit.parameters) == ["vdd", "w1", "scale"]
    assert {"x1.xa.mp", "x1.xb.mn", "x2.mx", "mdef"} <= {e.name for e in circuit.elements}
    assert {"x1.m", "x1.xa.mid", "x2.mid"} <= set(circuit.nodes)
    assert (circuit.tnom, circuit.temperature, circuit.gmin) == (30.0, 40.0, 2e-12)
    assert str(circuit.element("x1.xb.mn").w) == "w1/2.0*2.0"
    assert str(circuit.element("rl").value) == "2000.0*scale"
    assert circuit.frequencies.numpy() == pytest.approx(1e3 * 10 ** (torch.arange(16) / 5).numpy())
    assert circuit.noise_output == ("c", "e")
    assert circuit.simulate().noise.shape == (16, 1)


def test_results_are_differentiable_to_the_decks_parameters():
    circuit = read_spice(FEATURES)
    w1 = torch.tensor([4e-6], dtype=torch.float64, requires_grad=True)
    volts = circuit.simulate({"w1": w1}, analyses="op").voltage("c")
    (slope,) = torch.autograd.grad(volts.sum(), w1)
    step = 1e-11
    up, down = (
        float(circuit.simulate({"w1": 4e-6 + s}, analyses="op").voltage("c")) for s in (step, -step)
    )
    assert float(slope) == pytest.approx((up - down) / (2 * step), rel=1e-4)


@pytest.mark.parametrize("temp", [27.0, 85.0])
def test_absent_model_numbers_are_ngspices(oracle, temp):
    said, _ = oracle(f"reader-models-{temp:g}", MODELS, ("op", "ac"), freqs=FREQS, temp=temp)
    result = read_spice(MODELS).simulate(freqs=FREQS, temp=temp)
    agree(result, said, "12345678")


@pytest.mark.parametrize(
    ("name", "p", "n"),
    [
        ("two_tia_180", "out2", "0"),
        ("three_tia_ee114", "vouta", "voutb"),
        ("two_volt_180", "outp", "outn"),
        ("ldo_180_1ma", "out", "0"),
        ("ldo_180_10ma", "out", "0"),
    ],
)
def test_the_papers_circuits_agree_with_ngspice(oracle, deck, name, p, n):
    text = deck(name)
    circuit = read_spice(text)
    pair = (p, n)
    asked = ("op", "ac", "noise")
    said, _ = oracle(f"reader-{name}", text, asked, freqs=FREQS, noise_output=pair)
    result = circuit.simulate(freqs=FREQS, noise_output=pair)
    assert int(result.status) in (0, 1)
    for node in circuit.nodes:
        assert float(result.voltage(node)) == pytest.approx(said.op[node.lower()], abs=1e-9)
    theirs = torch.from_numpy(said.transfer(p, n))
    error = (result.ac(pair)[:, 0] - theirs).abs() / theirs.abs()
    assert float(error.max()) < (1e-7 if name.startswith("ldo") else 1e-8)  # its loop gains 80 dB
    assert result.noise[:, 0].tolist() == pytest.approx(said.noise.tolist(), rel=1e-8)


@pytest.mark.parametrize(
    ("card", "sweep"),
    [
        ("dec 7 10 3e5", Sweep(10.0, 3e5, 7)),
        ("dec 10 1 1k", Sweep(1.0, 1e3, 10)),
        ("oct 3 10 95", [10 * 2 ** (k / 3) for k in range(10)]),
        ("lin 5 1 9", [1, 3, 5, 7, 9]),
        ("lin 1 5 9", [5]),
    ],
)
def test_sweeps_are_ngspices(oracle, card, sweep):
    deck = f"t\nv1 a 0 ac 1\nr1 a b 1k\nc1 b 0 1n\n.ac {card}\n.end\n"
    found = read_spice(deck).frequencies.tolist()
    if isinstance(sweep, Sweep):  # ngspice says itself; lists were read off its prints
        said, _ = oracle(f"reader-sweep-{sweep.per_decade}", deck, ("ac",), freqs=sweep)
        sweep = said.frequencies.tolist()
    assert found == pytest.approx(sweep, rel=1e-9)


def test_files_and_libraries_are_found_beside_the_deck(tmp_path):
    (tmp_path / "lib").mkdir()
    (tmp_path / "lib" / "models.inc").write_text("r2 b 0 {ohms}\n* .end of file\n")
    (tmp_path / "lib" / "corners.lib").write_text(
        "ignored words\n.lib tt\n.param ohms=3k\n.include 'models.inc'\n.endl tt\n"
        ".lib ff\n.param ohms=1k\n.endl\n"
    )
    path = tmp_path / "top.cir"
    path.write_text("top\nv1 a 0 1\nr1 a b 1k\n.lib 'lib/corners.lib' tt\n.end\n")
    circuit = read_spice(path)
    assert float(circuit.simulate().voltage("b")) == pytest.approx(0.75, rel=1e-12)
    assert float(read_spice(str(path)).simulate({"ohms": 1e3}).voltage("b")) == pytest.approx(0.5)
    with pytest.raises(ValueError, match="line 4: a deck given as text includes by absolute paths"):
        read_spice(path.read_text())
    path.write_text("top\n.include top.cir\n")
    with pytest.raises(ValueError, match=r"top.cir, line \d: files include each other"):
        read_spice(path)
    path.write_text("top\n.include none.inc\n")
    with pytest.raises(ValueError, match=r"top.cir, line 2: cannot read none.inc"):
        read_spice(path)
    path.write_text("top\n.lib lib/corners.lib ss\n")
    with pytest.raises(ValueError, match="no section 'ss'"):
        read_spice(path)
    with pytest.raises(FileNotFoundError):
        read_spice(tmp_path / "nowhere.cir")
    with pytest.raises(TypeError, match="source is int"):
        read_spice(3)


GOOD = "t\nv1 a 0 1\nr1 a b 1k\nr2 b 0 1k\n.model n nmos\n"


def test_what_only_runs_or_prints_is_ignored():
    cards = "\n".join(f"{card} whatever it says" for card in IGNORED_CARDS)
    options = ".options " + " ".join(
        f"{o}=1" if k % 2 else o for k, o in enumerate(IGNORED_OPTIONS)
    )
    assert len(read_spice(GOOD + cards + "\n" + options)) == 3


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("q1 a b 0 npn", "line 6: element 'q1' is not held"),
        ("d1 a b dio", "element 'd1' is not held"),
        ("l1 a b 1u", "element 'l1' is not held"),
        ("e1 a 0 b 0 2", "element 'e1' is not held"),
        (".ic v(a)=1", ".ic is not understood"),
        (".nodeset v(a)=1", "not understood"),
        (".func f(x) {x*2}", "not understood"),
        (".modl n nmos", "did you mean '.model'"),
        (".options tmp=27", "option 'tmp' is not held; did you mean 'temp'"),
        (".options rshunt=1e9", "option 'rshunt' is not held"),
        (".options temp", "temperature has no value"),
        (".temp -300", "below absolute zero"),
        ("r1 a 0 1k", "element 'r1' exists already"),
        ("r3 a b", "expected a name, two nodes and a value"),
        ("r3 a b 1k tc=0.001", "and nothing else"),
        ("r3 a b 0", "r3: value is 0; expected above 0"),
        ("r3 a b -1k", "r3: value is -1000"),
        ("r3 a b 1k5", "'1k5' is no number"),
        ("r3 a b {1k", "unbalanced"),
        ("r3 a b {1k*}", "unexpected"),
        ("r3 a b {rr}", "unknown parameter 'rr'"),
        ("c3 a b 1p ic=0", "and nothing else"),
        ("v2 b 0 pulse(0 1 0 1n 1n 1u 2u)", "pulse is for transients"),
        ("v2 b 0 dc", "dc has no value"),
        ("v2 b 0 dc 1 ac 1 90", "ac phase is 90.0; expected 0 or 180"),
        ("v2 b 0 1 2", "unexpected '2'"),
        ("m1 b b 0 0 n w=1u l=1u nrd=2", "'nrd' is not held"),
        ("m1 b b 0 0 n w=1u l=1u off", "expected name=value at 'off'"),
        ("m1 b b 0 0 n w=1u w=2u", "w is given twice"),
        ("m1 b b 0 n w=1u l=1u", "expected a name, four nodes, a model"),
        ("m1 b b 0 0 nn w=1u l=1u", "unknown model 'nn'; did you mean 'n'"),
        ("m1 b b 0 0 n w=-1u", "m1: w is -1e-06"),
        ("m1 b b 0 0 n m=1.5", "expected an integer"),
        (".model n pmos", "model 'n' exists already"),
        (".model d1 d", "models of type 'd' are not held"),
        (".model x nmos level=54", "level is 54; expected 1"),
        (".model x nmos vt0=1 vto=1", "vto is given twice"),
        (".model x nmos (rsh=10)", "rsh is 10; expected 0"),
        (".model x nmos cox=1m", "holds no 'cox'"),
        (".model x nmos (vto 0.5)", "expected name=value"),
        (".model x", "expected .model name nmos|pmos"),
        (".param a={b} b={a}", "is defined by itself"),
        (".param a={c+1}", "unknown parameter 'c'"),
        (".param a=", "a has no value"),
        (".param a", "expected name=value"),
        (".param a={1/0}", "/ is not defined"),
        (".subckt s p\nr9 p 0 1", ".subckt without .ends"),
        (".ends", ".ends without .subckt"),
        (".subckt s p p\n.ends", "different nodes"),
        ("x1 a nosuch", "unknown subcircuit 'nosuch'"),
        (".subckt s p\nr9 p 0 1\n.ends\nx1 a b s", "line 9: s has 1 ports, got 2 nodes"),
        (".subckt s p w=1\nr9 p 0 w\n.ends\nx1 a s l=2", "s has no parameter 'l'"),
        (".subckt s p\nx9 p s\n.ends\nx1 a s", "nested more than 50 deep"),
        (".subckt s p\n.temp 3\n.ends\nx1 a s", "does not belong into a subcircuit"),
        (".control\nrun", ".control without .endc"),
        (".endc", ".endc without .control"),
        (".ac dec 10 1k", "expected dec, oct or lin"),
        (".ac dec 0 1 10", "expected dec, oct or lin"),
        (".ac log 10 1 10", "expected dec, oct or lin"),
        (".noise out v1 dec 10 1 10", "expected .noise"),
    ],
)
def test_what_is_not_held_is_refused_by_line(line, message):
    with pytest.raises(ValueError, match="line") as error:
        read_spice(f"{GOOD}{line}\n.end\n")
    assert message in str(error.value)


def test_a_continuation_needs_a_line_before():
    with pytest.raises(ValueError, match="line 2: continues no line"):
        read_spice("t\n+ r1 a 0 1\n")


def test_an_error_names_the_line_as_it_was_written():
    with pytest.raises(ValueError, match=r"line 4: .*: 'R1 A 0 1k Nonsense'$"):
        read_spice("t\n* one\n\nR1 A 0 1k\n+ Nonsense ; more\n")


def test_the_operating_point_is_where_the_title_says():
    circuit = read_spice("* just one line of title\nv1 a 0 1\nr1 a 0 1\n")
    assert circuit.title == "just one line of title"
    assert math.isclose(float(circuit.simulate().current("v1")), -1.0)
