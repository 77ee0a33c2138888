"""Who is who across years: a name token is not a person, and two persons are never merged silently.

Within one year a token that stands on several rows means several persons (or several jobs of one
person: the files do not say). Such a token identifies nobody, in any year: department and title
are added, and where even those repeat within a year, the row itself. Every other token is taken
as one person; years in which department and title both changed are counted, because nothing but
the token links them.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from countersign.cli.importers.earnings_rows import Earning

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Identities:
    """`worker_ids[i]` and `bases[i]` are of the i-th earning; the counts say how sure that is.

    Bases: `token`; `token+department+title`; `row` (cannot be told from another row of that year).
    """

    worker_ids: tuple[str, ...]
    bases: tuple[str, ...]
    tokens: int
    shared_tokens: int
    rows_of_shared_tokens: int
    rows_on_their_own: int
    links_on_token_alone: int


def identify(earnings: Sequence[Earning]) -> Identities:
    """Give every earning a worker id; no two earnings of one year ever share one."""
    in_year = Counter((e.token, e.year) for e in earnings)
    shared = {token for (token, _), count in in_year.items() if count > 1}
    same_job = Counter((_key(e), e.year) for e in earnings if e.token in shared)
    worker_ids, bases = [], []
    for earning in earnings:
        key = _key(earning)
        if earning.token not in shared:
            worker_ids.append(earning.token)
            bases.append("token")
        elif same_job[key, earning.year] == 1:
            worker_ids.append(f"{earning.token}-{_short(key)}")
            bases.append("token+department+title")
        else:
            worker_ids.append(f"{earning.token}-{_short(key)}-{earning.year}r{earning.row}")
            bases.append("row")
    return Identities(
        tuple(worker_ids),
        tuple(bases),
        tokens=len({e.token for e in earnings}),
        shared_tokens=len(shared),
        rows_of_shared_tokens=sum(e.token in shared for e in earnings),
        rows_on_their_own=bases.count("row"),
        links_on_token_alone=_loose_links(earnings, shared),
    )


def _key(earning: Earning) -> Key:
    return earning.token, earning.department.casefold(), earning.title.casefold()


def _short(key: Key) -> str:
    return hashlib.sha256("\x1f".join(key[1:]).encode()).hexdigest()[:8]


def _loose_links(earnings: Sequence[Earning], shared: set[str]) -> int:
    careers: dict[str, list[Earning]] = {}
    for earning in sorted(earnings, key=lambda e: e.year):
        if earning.token not in shared:
            careers.setdefault(earning.token, []).append(earning)
    return sum(
        _key(before)[1] != _key(after)[1] and _key(before)[2] != _key(after)[2]
        for career in careers.values()
        for before, after in pairwise(career)
    )
