"""Balanced equations, chains of conversions and molar masses for the families that reckon with amounts of substance.

It makes no problems; see `families.reaction_yield`.
"""

from __future__ import annotations

import re
from collections import Counter

EQUATIONS = {
    **{"4 Al + 3 O2 > 2 Al2O3": "heat", "N2 + 3 H2 > 2 NH3": "Fe, 450 °C", "2 Al + 3 Cl2 > 2 AlCl3": "heat"},
    **{"2 Mg + O2 > 2 MgO": "ignition", "Fe2O3 + 3 CO > 2 Fe + 3 CO2": "900 °C", "4 NH3 + 5 O2 > 4 NO + 6 H2O": "Pt"},
    **{
        "2 Fe + 3 Cl2 > 2 FeCl3": "heat",
        "CaCO3 + 2 HCl > CaCl2 + H2O + CO2": "25 °C",
        "C3H8 + 5 O2 > 3 CO2 + 4 H2O": "spark",
    },
    **{"2 Na + Cl2 > 2 NaCl": "heat", "P4 + 5 O2 > P4O10": "ignition", "2 H2S + SO2 > 3 S + 2 H2O": "Al₂O₃"},
    **{
        "TiCl4 + 2 Mg > Ti + 2 MgCl2": "850 °C",
        "SiO2 + 2 C > Si + 2 CO": "2000 °C",
        "Zn + 2 HCl > ZnCl2 + H2": "25 °C",
    },
    **{
        "2 ZnS + 3 O2 > 2 ZnO + 2 SO2": "roasting",
        "Cr2O3 + 2 Al > 2 Cr + Al2O3": "ignition",
        "CH4 + 2 O2 > CO2 + 2 H2O": "spark",
    },
    **{
        "CuO + H2 > Cu + H2O": "300 °C",
        "3 Fe + 4 H2O > Fe3O4 + 4 H2": "600 °C",
        "2 C2H2 + 5 O2 > 4 CO2 + 2 H2O": "spark",
    },
    **{
        "CS2 + 3 O2 > CO2 + 2 SO2": "ignition",
        "4 FeS2 + 11 O2 > 2 Fe2O3 + 8 SO2": "roasting",
        "P4 + 6 Cl2 > 4 PCl3": "heat",
    },
    **{"CaC2 + 2 H2O > Ca(OH)2 + C2H2": "25 °C", "2 K + 2 H2O > 2 KOH + H2": "25 °C", "3 Mg + N2 > Mg3N2": "heat"},
}
"""Balanced equations and what stands over their arrow."""
CHAINS = (
    ("S", ("S SO2 SO3 H2SO4", "1:1 1:1 1:1", ("O₂", "O₂, V₂O₅", "H₂O"))),
    ("N", ("N2 NH3 NO NO2", "1:2 1:1 1:1", ("H₂, Fe", "O₂, Pt", "O₂"))),
    ("Ca", ("CaCO3 CaO Ca(OH)2 CaCl2", "1:1 1:1 1:1", ("900 °C", "H₂O", "HCl"))),
    ("Fe", ("FeS2 Fe2O3 Fe FeCl3", "2:1 1:2 1:1", ("O₂", "CO", "Cl₂"))),
    ("Cu", ("Cu Cu(NO3)2 Cu(OH)2 CuO CuSO4", "1:1 1:1 1:1 1:1", ("HNO₃", "NaOH", "heat", "H₂SO₄"))),
    ("Zn", ("ZnS ZnO Zn ZnCl2", "1:1 1:1 1:1", ("O₂", "C", "HCl"))),
    ("P", ("P4 P4O10 H3PO4 Ca3(PO4)2", "1:1 1:4 2:1", ("O₂", "H₂O", "Ca(OH)₂"))),
    ("Al", ("Al2O3 Al AlCl3 Al(OH)3", "1:2 1:1 1:1", ("electrolysis", "Cl₂", "NaOH"))),
    ("Si", ("SiO2 Si SiHCl3 Si", "1:1 1:1 1:1", ("C", "HCl", "H₂"))),
    ("Ti", ("FeTiO3 TiO2 TiCl4 Ti", "1:1 1:1 1:1", ("H₂SO₄", "C, Cl₂", "Mg"))),
    ("Na", ("NaCl Na NaOH Na2CO3", "1:1 1:1 2:1", ("electrolysis", "H₂O", "CO₂"))),
    ("Pb", ("PbS PbO Pb Pb(NO3)2 PbCrO4", "1:1 1:1 1:1 1:1", ("O₂", "C", "HNO₃", "K₂CrO₄"))),
    ("Ag", ("Ag AgNO3 AgCl Ag", "1:1 1:1 1:1", ("HNO₃", "NaCl", "Zn"))),
    ("Mg", ("MgCO3 MgO MgCl2 Mg", "1:1 1:1 1:1", ("heat", "HCl", "electrolysis"))),
    ("Cr", ("Cr2O3 Cr CrCl3 Cr(OH)3", "1:2 1:1 1:1", ("Al", "Cl₂", "NaOH"))),
)
"""The element that goes through, its substances, their ratios in moles step by step, what stands over the arrows."""
WEIGHTS = {
    **{"H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999, "Na": 22.99, "Mg": 24.305, "Al": 26.982, "P": 30.974},
    **{"S": 32.067, "Cl": 35.453, "K": 39.098, "Ca": 40.078, "Ti": 47.867, "Cr": 51.996, "Fe": 55.845, "Cu": 63.546},
    **{"Zn": 65.39, "Ag": 107.868, "Pb": 207.2, "Si": 28.086},
}


def composition(formula: str) -> Counter[str]:
    """Atoms of a formula with at most one level of brackets.

    >>> sorted(composition("Ca3(PO4)2").items())
    [('Ca', 3), ('O', 8), ('P', 2)]
    """
    flat = re.sub(r"\((\w+)\)(\d+)", lambda m: m.group(1) * int(m.group(2)), formula)
    found: Counter[str] = Counter()
    for symbol, count in re.findall(r"([A-Z][a-z]?)(\d*)", flat):
        found[symbol] += int(count or 1)
    return found


def molar(formula: str) -> float:
    """Molar mass in g/mol as the drawing gives it, to two decimals."""
    return round(sum(n * WEIGHTS[e] for e, n in composition(formula).items()), 2)


def parse(equation: str) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Coefficients and formulas of both sides."""
    sides = []
    for side in equation.split(" > "):
        terms = [t.split(" ") for t in side.split(" + ")]
        sides.append([(int(t[0]) if len(t) > 1 else 1, t[-1]) for t in terms])
    return sides[0], sides[1]
