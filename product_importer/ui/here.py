"""Whether what a state holds is what the address names: until the server answers, it is of the page before."""

import reflex as rx
from reflex_base.utils.imports import ImportVar
from reflex_base.vars import VarData


def is_here(shown_id: rx.Var[str]) -> rx.Var[bool]:
    """Return whether the address names this id; an empty one is named nowhere."""
    place = VarData(
        imports={"react-router": [ImportVar("useLocation")]}, hooks={"const place = useLocation();": None}
    )
    data = VarData.merge(place, shown_id._get_all_var_data())
    named = f'({shown_id!s} !== "" && place.pathname.includes({shown_id!s}))'
    return rx.Var(named, _var_type=bool, _var_data=data).guess_type()
