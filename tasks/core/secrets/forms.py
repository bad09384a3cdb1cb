"""Where secrets stand in texts: one list, for taking them out (:mod:`.redaction`) and for finding them in files.

Every pattern runs in time linear in any text: repeats are bounded or possessive, and a run that is no secret after all
is consumed and put back rather than tried again from its second character. All of them have groups of the same names:
``before`` stays, ``secret`` goes; ``user`` and ``host`` say more about it where they are there. A pattern is only tried
where its sign stands in the text, which costs next to nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from .key_matching import shared_begins
from .secret_names import NAME

# RFC 7519: a JSON object in base64 begins with eyJ. The dotted part is optional here so that a run without one is
# consumed as well.
JWT = re.compile(r"eyJ[\w-]{8,}+(?P<rest>(?:\.[\w-]{4,}+(?:\.[\w-]*+){0,3}+)?)", re.ASCII)

# RFC 7468.
BEGIN_KEY = r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"

# What stands between it and the key, and between its lines: line ends, and what a string or a comment of a program has
# there; RFC 1421 and RFC 4880 have headers before the key.
KEY_GAP = r"(?:\s|\\[nrt]|[\"'+,>|#*/])"
KEY_HEADERS = r"(?:[A-Z][A-Za-z-]{0,30}: [^\n]{0,200}\n\s{0,40}+){0,5}"

# The same in base64, from each of the three places where a begin can stand among groups of three bytes.
BASE64_KEY = re.compile(
    r"(?<![A-Za-z0-9+/])LS0tLS1CRUdJTi[A-Za-z0-9+/]{20,}+={0,2}(?:(?:\\n|\s){1,40}[A-Za-z0-9+/]{20,}+={0,2})*+",
    re.ASCII,
)

# RFC 3986, 3.2.1: user information ends at the last @ of the authority.
CREDENTIALS = re.compile(
    r"""://(?P<user>[^\s/?#@:"'<>`\\]*+)(?::(?P<password>[^\s/?#"'<>`\\]*))?@(?P<host>[\w.-]*)""", re.ASCII
)

# A name such as "password" or "api_key", what parts it from its value, and the value.
SETTING = re.compile(
    rf"(?P<name>{NAME}[0-9]{{0,2}}\\{{0,7}}[\"']?[ \t]{{0,4}}(?:={{1,2}}>?|::?=?|%3[AaDd])[ \t]{{0,4}})"
    r"(?:"
    # in quotes, escaped quotes, a list or a call: "…", \"…\", ['…'], SecretStr('…'), b'…'
    r"(?P<open>(?:[A-Za-z_][\w.]{0,40}\(|[\[({]){0,2}[bBfFrRuU]{0,2})"
    r"(?P<escape>\\{0,7})(?P<quote>[\"'])"
    r"(?P<quoted>(?:[^\"'\\\n]++|(?!(?P=escape)(?P=quote))(?:\\++[\"']?+|[\"']))*+)"
    # bare: to the next blank or quote; comma, semicolon and closing brackets belong to it where it goes on
    r"|(?!self\.[A-Za-z_]|os\.(?:environ|getenv))"
    r"(?P<bare>(?:(?i:bearer|basic|token)(?:[ \t]{1,4}|%20|\+))?"
    r"(?:\[redacted\]|[^\s\"'&,;)\]}>`]|`(?![\s.,;:)]|\Z)"
    r"|[,;](?![\s\"']|\Z|[\w -]{1,40}[=:])|[)\]}>](?=[A-Za-z0-9]))++)"
    r")"
)


# What programs write as well: key: str = "…", headers["Authorization"] = "…", setenv("TOKEN", "…").
GIVEN = re.compile(
    rf"(?P<name>{NAME})[0-9]{{0,2}}(?:[\"']\] ?=|[\"'] ?,| ?: ?[A-Za-z_][\w\[\], |.]{{0,40}}=) ?"
    r"[bBrRuU]{0,2}(?P<quote>[\"'])(?P<quoted>[^\"'\\\n]*+)(?P<bare>)",
    re.ASCII,
)


class Evidence(Enum):
    """What makes the secret of a place one."""

    PLACE = "the place: nothing else stands there"
    PAIR = "a user's password"
    RANDOM = "it looks like a key"
    BASE64_PAIR = "a user's password in base64"


class Place(NamedTuple):
    """A place where secrets stand.

    Attributes:
        kind: what stands there, for people.
        sign: without one of these words, in small letters, the text has none.
        pattern: with the groups ``before`` and ``secret``.
        evidence: what makes that a secret.
    """

    kind: str
    signs: tuple[str, ...]
    pattern: re.Pattern[str]
    evidence: Evidence


def _place(kind: str, signs: str, pattern: str, evidence: Evidence) -> Place:
    return Place(kind, tuple(signs.split()), re.compile(pattern, re.ASCII | re.IGNORECASE), evidence)


_QUOTE = r"(?:\\{0,3}[\"'])"

PLACES = (
    # addresses whose path is the key
    _place(
        "webhook",
        "hooks. webhook api.telegram.org maker.ifttt.com hc-ping.com open.feishu.cn open.larksuite.com logic.azure.com "
        "events.pagerduty.com uptime.betterstack.com cronitor.link pipedream.net",
        r"(?P<before>hooks\.slack\.com/(?:services|workflows|triggers)/|api\.telegram\.org/(?:file/)?bot"
        r"|discord(?:app)?\.com/api/(?:v\d{1,2}/)?webhooks/[0-9]{5,25}/"
        r"|(?:[\w-]{1,63}\.webhook\.office\.com/webhookb2|outlook\.office(?:365)?\.com/webhook)/"
        r"|hooks\.zapier\.com/hooks/(?:catch|standard)/|maker\.ifttt\.com/trigger/[\w-]{1,80}/(?:json/)?with/key/"
        r"|hook\.(?:[a-z0-9]{2,8}\.)?(?:make|integromat)\.com/|hc-ping\.com/|cronitor\.link/p/"
        r"|open\.(?:feishu\.cn|larksuite\.com)/open-apis/bot/v2/hook/|events\.pagerduty\.com/integration/"
        r"|uptime\.betterstack\.com/api/v1/heartbeat/|[\w-]{1,63}\.tines\.com/webhook/)(?P<secret>[\w:/@.-]{8,}+)",
        Evidence.PLACE,
    ),
    _place(
        "signature in an address",
        "?sig= &sig= signature= ?key= &key= hapikey= ?auth= &auth= ?code= &code= x-amz-security-token=",
        r"(?P<before>[?&](?:sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature|key|hapikey|auth|code)=)"
        r"(?P<secret>[\w%./+~=-]{12,}+)",
        Evidence.RANDOM,
    ),
    # connection strings
    _place(
        "key in a connection string",
        "accountkey sharedaccesskey= sharedaccesssignature= x-amz-signature=",
        r"(?P<before>\b(?:AccountKey|SharedAccessKey|SharedAccessSignature|X-Amz-Signature)=)(?P<secret>[^\s;&\"']{4,}+)",
        Evidence.PLACE,
    ),
    _place(
        "password in a connection string",
        "@tcp( @unix(",
        r"(?P<before>(?<![\w.-])(?P<user>[\w.-]{1,64}):)(?P<secret>[^\s:@/\"'`]{1,128})(?=@(?:tcp|unix)\()",
        Evidence.PAIR,
    ),
    _place(
        "password in a connection string",
        "jdbc:oracle",
        r"(?P<before>jdbc:oracle:(?:thin|oci):(?P<user>[\w.-]{1,64})/)(?P<secret>[^\s@\"']{1,128})(?=@)",
        Evidence.PAIR,
    ),
    # files and headers with a password in base64
    _place(
        "password of a registry",
        "auth\" auth' auth\\ _auth",
        rf"(?P<before>(?:{_QUOTE}auth{_QUOTE}\s{{0,8}}:\s{{0,8}}{_QUOTE}|\b_auth\s{{0,4}}=\s{{0,4}}{_QUOTE}?))"
        r"(?P<secret>[A-Za-z0-9+/]{8,}+={0,2})",
        Evidence.BASE64_PAIR,
    ),
    _place(
        "password of basic authentication",
        "basic",
        r"(?P<before>\bbasic(?:\s{1,4}|%20|\+))(?P<secret>[A-Za-z0-9+/_-]{8,}+={0,2})",
        Evidence.BASE64_PAIR,
    ),
    _place(
        "password of basic authentication",
        "auth\" auth' auth= auth: authentication auth(",
        rf"(?P<before>\b(?:http|basic)?[_-]?auth(?:entication)?[\"']?\s{{0,4}}[:=]\s{{0,4}}{_QUOTE}(?P<user>[\w.@-]{{1,64}}):(?!//))"
        r"(?P<secret>[^\s\"'`:/][^\s\"'`]{0,127})(?=[\"'])",
        Evidence.PAIR,
    ),
    _place(
        "password of basic authentication",
        "auth\" auth' auth= auth: authentication auth(",
        rf"(?P<before>\bauth\s{{0,4}}[=:]\s{{0,4}}(?:HTTP\w{{0,20}}Auth)?[\[(]\s{{0,4}}{_QUOTE}(?P<user>[\w.@-]{{1,64}}){_QUOTE},\s{{0,4}}{_QUOTE})"
        r"(?P<secret>[^\s\"'`]{1,128})(?=[\"'])",
        Evidence.PAIR,
    ),
    # netrc: machine HOST login USER password PASSWORD, in one line or one line each
    _place(
        "password in a netrc file",
        "login",
        r"(?P<before>\blogin\s{1,20}(?P<user>[^\s\"']{1,128})\s{1,40}(?:account\s{1,20}[^\s\"']{1,128}\s{1,40})?password\s{1,20})"
        r"(?P<secret>[^\s\"']{1,256})",
        Evidence.PAIR,
    ),
    # statements of SQL
    _place(
        "password in a statement of SQL",
        "identified password",
        r"(?P<before>\b(?:identified\s{1,20}(?:with\s{1,20}\w{1,40}\s{1,20})?by|(?:with|encrypted|set|=|user\s{1,20}[\w\"]{1,64})\s{1,20}password)"
        r"\s{1,20}(?:password\s{1,20})?')(?P<secret>[^'\n]{1,256})(?=')",
        Evidence.PAIR,
    ),
    # elements of XML, and name and value as attributes
    _place(
        "password in XML",
        "</",
        rf"(?P<before><(?:[\w-]{{1,40}}:)?[\w.-]{{0,40}}?{NAME}(?:\s[^<>\n]{{0,200}})?>\s{{0,40}})(?P<secret>[^<>\s]{{1,512}}+)(?=\s{{0,40}}</)",
        Evidence.PAIR,
    ),
    _place(
        "password in XML",
        "value=",
        rf"(?P<before>\b(?:key|name)=[\"'][\w.:-]{{0,60}}?{NAME}[\"']\s{{1,20}}value=[\"'])(?P<secret>[^\"'\n]{{1,512}}+)",
        Evidence.PAIR,
    ),
    # RFC 6265
    _place(
        "cookie of a session",
        "sessionid= csrftoken= sessid= _gitlab_session=",
        r"(?P<before>\b(?:sessionid|csrftoken|phpsessid|jsessionid|_gitlab_session|connect\.sid)=)(?P<secret>[^\s;&\"']{4,}+)",
        Evidence.RANDOM,
    ),
)

ANY_SIGN = re.compile(shared_begins(sign for place in PLACES for sign in place.signs))
"""Finds out in one pass whether a text, in small letters, can have any of them."""

# Programs that take a password as an argument, which flag, and how it stands there.
_PROGRAMS = (
    (("curl", "wget", "http", "https"), r"(?:-u|--user|-a|--auth|--proxy-user|-U)", "pair"),
    (("mysql", "mysqldump", "mysqladmin", "mariadb", "mariadb-dump"), r"-p(?=[^\s-])", "attached"),
    (("sshpass",), r"-p", "value"),
    (("redis-cli",), r"(?:-a|--pass)", "value"),
    (
        (
            "docker login",
            "podman login",
            "skopeo login",
            "buildah login",
            "helm registry login",
            "oc login",
            "az login",
        ),
        r"-p",
        "value",
    ),
    (("sqlcmd", "bcp"), r"-P", "value"),
    (("mongo", "mongosh", "mongodump", "mongorestore", "mongoexport"), r"-p", "value"),
    (("ldapsearch", "ldapmodify", "ldapadd"), r"-w", "value"),
    (("smbclient",), r"-U", "percent"),
    (("lftp",), r"-u", "comma"),
    (("openssl",), r"-pass(?:in|out)?\s{1,4}pass:", "attached"),
)

PROGRAMS = tuple(sorted({name for names, *_ in _PROGRAMS for name in names}, key=len, reverse=True))

_PROGRAM = re.compile(
    rf"(?<![\w.-])(?:{'|'.join(name.replace(' ', '[ ]') for name in PROGRAMS)})(?=[\s\"',])", re.ASCII
)

# The rest of its line, which goes on in the next one where it ends with a backslash.
_REST = re.compile(r"(?:[^\n|\\]|\\[\s\S]){1,2000}+")


class Argument(NamedTuple):
    """An argument that is a password: where it stands, the password, and the user where it names one."""

    start: int
    end: int
    user: str
    secret: str


_GAP = r"[\s\"',=]{1,6}"
_VALUE = r"[^\s\"'`,]{1,256}"
_ARGUMENT = {
    "pair": rf"(?:{_GAP}|(?=[\w.]))(?P<user>[\w.@+-]{{1,128}}):(?!//)(?P<secret>{_VALUE})",
    "value": rf"{_GAP}(?P<user>)(?P<secret>{_VALUE})",
    "attached": rf"(?P<user>)(?P<secret>{_VALUE})",
    "percent": rf"{_GAP}(?P<user>[\w.\\/@-]{{1,128}})%(?P<secret>{_VALUE})",
    "comma": rf"{_GAP}(?P<user>[\w.@-]{{1,128}}),(?P<secret>{_VALUE})",
}
_ARGUMENTS = {
    name: re.compile(rf"(?<=[\s\"'])(?:{flag}){_ARGUMENT[way]}", re.ASCII)
    for names, flag, way in _PROGRAMS
    for name in names
}

# Flags of any program, as typed or as CalledProcessError lists them.
FLAG = re.compile(
    r"(?P<before>(?<![\w-])--(?:[a-z0-9]{1,20}-){0,3}(?:password|passwd|passphrase|token|secret|api[_-]?key|access[_-]?key|secret[_-]?key)"
    r"[\"']?(?:,? |=)[\"']?)(?P<secret>\[redacted\]|[^\s\"'`,\])]++)",
    re.IGNORECASE,
)


def arguments(text: str, start: int = 0, end: int | None = None) -> Iterator[Argument]:
    """Yield the passwords among the arguments of programs such as ``curl -u USER:PASSWORD``."""
    last = len(text) if end is None else end
    programs = [*_PROGRAM.finditer(text, start, last)]
    for number, program in enumerate(programs):
        behind = programs[number + 1].start() if number + 1 < len(programs) else last
        rest = _REST.match(text, program.end(), behind)
        for found in _ARGUMENTS[program[0]].finditer(text, program.end(), rest.end()) if rest else ():
            yield Argument(found.start("secret"), found.end("secret"), found["user"], found["secret"])
