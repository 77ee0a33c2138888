"""`--map their_column=our_column`: a file's own header names, said in the names an importer knows."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from countersign.cli.importers.published import HEADER_ROW
from countersign.errors import ContractError, FieldError


def parse_renames(pairs: Sequence[str]) -> dict[str, str]:
    """`["amt=amount"]` as {their column: our column}.

    Raises
    ------
    ContractError   not of that form, or one column named twice
    """
    renames: dict[str, str] = {}
    for pair in pairs:
        theirs, _, ours = (part.strip() for part in pair.rpartition("="))
        if not theirs or not ours:
            raise refusal("--map", [FieldError("--map", "their_column=our_column")])
        if theirs in renames or ours in renames.values():
            twice = theirs if theirs in renames else ours
            raise refusal("--map", [FieldError(twice, "to be mapped once")])
        renames[theirs] = ours
    return renames


def renamed(
    header: Sequence[str], renames: Mapping[str, str], *, known: Collection[str], file: str
) -> tuple[str, ...]:
    """The header with their names replaced by ours; case and punctuation of their names are free.

    Raises
    ------
    ContractError   a column that the file has not, or has twice; a name that is none of ours
    """
    errors = []
    made = list(header)
    for theirs, ours in renames.items():
        at = [n for n, name in enumerate(header) if name == theirs]
        at = at or [n for n, name in enumerate(header) if plain(name) == plain(theirs)]
        if ours not in known:
            errors.append(FieldError(ours, f"one of {', '.join(known)} after the = of --map"))
        elif len(at) != 1:
            how = "once" if at else "as --map names it"
            errors.append(
                FieldError(theirs, f"a column of this name in the header, {how}", HEADER_ROW)
            )
        else:
            made[at[0]] = ours
    for name, count in Counter(made).items():
        if count > 1 and name in renames.values():
            errors.append(
                FieldError(name, f"to come from one column; with --map {count} do", HEADER_ROW)
            )
    if errors:
        raise refusal(file, errors)
    return tuple(made)


def plain(name: str) -> str:
    """A header name by its letters and digits alone: `Old_Balance Org` is `oldbalanceorg`."""
    return re.sub(r"[\W_]+", "", name.casefold())


def refusal(file: str, errors: Sequence[FieldError]) -> ContractError:
    """One sentence that names each column, its row and what was expected."""
    told = "; ".join(
        f"column '{e.field}'{f', row {e.row}' if e.row else ''}: expected {e.expected}"
        for e in errors
    )
    return ContractError(f"{file}: {told}", errors=errors)
