"""The forms that secrets have in texts: one list, for taking them out (:mod:`.redaction`) and for finding them.

Every pattern runs in time linear in any text: repeats are bounded or possessive, and a
run that is no secret after all is consumed and put back rather than tried again from its second character. All of
them are ASCII, so that they also compile for bytes.
"""

from __future__ import annotations

from typing import NamedTuple


class Form(NamedTuple):
    """One provider's form of keys.

    Attributes:
        kind: whose key it is, for people.
        begin: a pattern of what such a key begins with.
        alphabet: a pattern of one character of what follows.
        likely: with so many of them it is taken out of a text that is shown: better one word too many than a key.
        certain: with so many of them a file is said to hold one: the length of those that the provider hands out.
    """

    kind: str
    begin: str
    alphabet: str
    likely: int
    certain: int


# A place where a token can begin: not inside a word, but also right after %20, \n or \u0022.
BEGIN = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt])|(?<=\\u[0-9A-Fa-f]{4}))"

ONSET = "[sxgAhrnpS]"
"""The first characters of all the forms: where none of them stands, nothing else is tried."""

# The providers' own forms: github.blog "Behind GitHub's new authentication token formats", GitLab's "Token
# prefixes", AWS IAM "Understanding unique ID prefixes", Slack's "Token types", and the keys that OpenAI, DeepSeek,
# xAI, Google, Hugging Face, Groq, Stripe, npm, PyPI and SendGrid hand out.
FORMS = (
    Form("key of OpenAI, DeepSeek or the like", r"sk-(?!learn\b)", r"[\w-]", 8, 24),
    Form("key of xAI", r"xai-(?!grok)", r"[\w-]", 8, 24),
    Form("token of GitHub", r"gh[oprsu]_", "[A-Za-z0-9]", 8, 36),
    Form("token of GitHub", r"github_pat_", r"\w", 8, 50),
    Form("token of GitLab", r"glpat-", r"[\w-]", 8, 20),
    Form("access key of AWS", r"A[KS]IA", "[A-Z0-9]", 16, 16),
    Form("token of Slack", r"xox[abeoprs]-", r"[\w-]", 8, 20),
    Form("key of Google", r"AIza", r"[\w-]", 20, 35),
    Form("token of Hugging Face", r"hf_", "[A-Za-z0-9]", 16, 30),
    Form("key of Groq", r"gsk_", "[A-Za-z0-9]", 20, 40),
    Form("key of Stripe", r"[rs]k_(?:live|test)_", "[A-Za-z0-9]", 8, 20),
    Form("token of npm", r"npm_", "[A-Za-z0-9]", 30, 36),
    Form("token of PyPI", r"pypi-", r"[\w-]", 40, 60),
    Form("key of SendGrid", r"SG\.[\w-]{22}\.", r"[\w-]", 43, 43),
)

# RFC 7519: a JSON object in base64 begins with eyJ. The dotted part is optional here so that a run without one is
# consumed as well.
JWT = r"eyJ[\w-]{8,}+(?P<rest>(?:\.[\w-]{4,}+(?:\.[\w-]*+){0,3}+)?)"

# RFC 7468.
BEGIN_KEY = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"

# RFC 3986, 3.2.1: user information ends at the last @ of the authority.
CREDENTIALS = r"""://(?P<user>[^\s/?#@:"'<>`\\]*+):(?P<password>[^\s/?#"'<>`\\]*)@"""

NAME = (
    r"(?=[aApPsStT])(?i:pass(?:word|wd|phrase|code)|pwd|secret(?:[_ -]?(?:access[_ -]?)?key)?|token"
    r"|authorization|api[_ -]?key|access[_ -]?key|private[_ -]?key)"
)

# A name such as "password" or "api_key", what parts it from its value, and the value.
SETTING = (
    rf"(?P<name>{NAME}[0-9]{{0,2}}\\{{0,7}}[\"']?[ \t]{{0,4}}(?:={{1,2}}>?|::?=?|%3[AaDd])[ \t]{{0,4}})"
    r"(?:"
    # in quotes, escaped quotes, a list or a call: "…", \"…\", ['…'], SecretStr('…'), b'…'
    r"(?P<open>(?:[A-Za-z_][\w.]{0,40}\(|[\[({]){0,2}[bBfFrRuU]{0,2})"
    r"(?P<escape>\\{0,7})(?P<quote>[\"'])"
    r"(?P<quoted>(?:[^\"'\\\n]++|(?!(?P=escape)(?P=quote))(?:\\++[\"']?+|[\"']))*+)"
    # bare: to the next blank or quote; comma, semicolon and closing brackets belong to it where it goes on
    r"|(?!self\.[A-Za-z_]|os\.(?:environ|getenv))"
    r"(?P<bare>(?:(?i:bearer|basic|token)(?:[ \t]{1,4}|%20|\+))?"
    r"(?:\[redacted\]|[^\s\"'&,;)\]}>]|[,;](?![\s\"']|\Z|[\w-]{1,40}[=:])|[)\]}>](?=[A-Za-z0-9]))++)"
    r")"
)
