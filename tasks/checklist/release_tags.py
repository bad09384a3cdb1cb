"""Which tags are releases of the project: those of the prefix that is set, else of the forms that it uses."""

from __future__ import annotations

from typing import NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import Version

from ..conventions.convention import Convention
from ..conventions.distribution_names import DistributionNames
from ..conventions.tag_forms import TagForm, Tags, read_tag
from ..core.text.formatting import count, printable


class TagRule(NamedTuple):
    """By which names tags are releases.

    Attributes:
        prefix: what stands before the version, by the settings; ``None`` where they leave it to the project's tags.
        forms: where they do, what stands before the version in tags of the project's releases.
        doubt: why it is not known which tags are releases, with both sides, as a sentence; empty where it is.
    """

    prefix: str | None = None
    forms: frozenset[str] = frozenset()
    doubt: str = ""

    def version(self, name: str) -> Version | None:
        """Return the version that a tag of this name releases; ``None`` where it releases none."""
        read = read_tag(name if self.prefix is None else name.removeprefix(self.prefix))
        if self.prefix is None:
            return read.version if read and read.before in self.forms else None
        return read.version if read and not read.before and name.startswith(self.prefix) else None


def tag_rule(
    tags: Convention[Tags], names: Convention[DistributionNames], *, prefix: str | None, is_part: bool
) -> TagRule:
    """Return by which names tags are releases of the project.

    Tags without the name of a distribution, or with the project's own, are. Those of other distributions in the
    repository are not. Where all tags bear a name that no file knows, nobody can tell.

    Args:
        tags: the forms of the tags.
        names: the names of the project and of what lies in it.
        prefix: that of the settings; ``None`` where they name none.
        is_part: True where the project lies in a folder of the repository, which then holds other projects.
    """
    forms = tags.value.forms if tags.value else ()
    if prefix is not None or not forms:
        return TagRule(prefix)
    known = names.value or DistributionNames(frozenset(), frozenset())
    plain = [each for each in forms if not each.distribution]
    own = [each for each in forms if _name(each) in known.own]
    strange = [each for each in forms if each.distribution and _name(each) not in known.own | known.others]
    if own and (is_part or known.others):
        return TagRule(None, _before(own))
    if own or plain:
        return TagRule(None, _before([*own, *plain]))
    if not strange:
        return TagRule()
    if not known.own and len({_name(each) for each in strange}) == 1:
        return TagRule(None, _before(strange))
    sides = "; ".join(f"{count(each.number, 'tag')} as {printable(each.latest)}" for each in strange)
    named = f"the project's name is another by {names.evidence[0]}" if known.own else "no file names the project"
    return TagRule(doubt=f"It is not known whose releases the tags are ({sides}): {named}.")


def _name(form: TagForm) -> str:
    return canonicalize_name(form.distribution)


def _before(forms: list[TagForm]) -> frozenset[str]:
    return frozenset(each.before for each in forms)
