"""The words by which secrets are told from what is none: of names, placeholders, programs and sentences."""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


STATES = _words(
    """
    none null nil true false undefined empty unset missing absent invalid required expired wrong incorrect unknown
    rejected denied not is was has must optional yes no on off read write include same-origin omit
    """
)
"""What a sentence or a setting says of a secret instead of the secret."""

TYPES = _words(
    """
    str string bytes bytearray int integer number bool boolean object any dict list tuple set text varchar char uuid
    secretstr void never buffer function callable type class self cls const let var new await async return lambda this
    super default auto
    """
)
"""Types and other words of programs that stand where a secret could."""

PLACEHOLDERS = _words(
    """
    your my the a an here placeholder changeme change me example examples dummy sample insert replace replaced fill
    enter todo redacted masked hidden filtered removed censored fake super mock demo dev testing xxx xx x foo bar baz
    qux foobar some goes this value with put paste of for to from in be by it and or real actual own valid new old
    same generated provided sk pk rk ghp xai hf gsk glpat xoxb live test proj ant akia bot
    """
)
"""Words of which placeholders are made."""

MADE_UP = _words(
    """
    your here placeholder changeme example examples dummy sample insert replace replaced todo redacted masked hidden
    filtered removed censored xxx foo bar baz qux foobar goes paste change
    """
)
"""Those that no secret has by itself: a placeholder has one of them, or names what it stands for."""

TRIALS = _words("test testing dev demo mock fake")
"""Those that are also the beginning of passwords that somebody uses: ``test1234``."""

NAMES = _words(
    """
    password passwords passwd passphrase passcode pass pwd pw secret secrets token tokens key keys apikey api auth
    authorization credential credentials cred creds user username login account access private public client app
    application service bearer basic digest jwt csrf xsrf session cookie header hash salt signature csrftoken
    xsrftoken authtoken accesstoken
    """
)
"""What secrets and their fields are called: a value of nothing else names what is meant."""

GENERIC = _words(
    """
    value values val data arg args kwargs param params parameter parameters option options opt opts config conf cfg
    settings setting env environ environment request req response res result resp body payload form field fields input
    output name names text content contents item items obj instance model attrs attributes props state ctx context raw
    encoded decoded encrypted hashed plain new old current next prev previous first last default expected actual given
    id ids url uri path file prefix suffix length size type kind generator generate generated create created get set
    index info list map store code flow to with from base helper load read make build parse verify check validate
    refresh reset update csrf oauth oauth2 scheme bearer regex pattern format func fn callback handler provider
    manager backend class factory
    """
)
"""What else the names of variables are made of."""

PUBLISHED = _words(
    """
    0011cc25eb432071 03b970ed8171d73b 0b5dd075ccdd03c4 15cef4b629cc2d07 1bbb9293c38acc5e 2cafc0970149a84f
    507e2ce3c522082b 570dad43de1af4c9 5cc1e9113bbaa704 654b2b06319049d0 7f75367e78812551 aa6547439583c3a2
    b8e148545b13c78b c794fa6d20c64efb da816f9f2c16e6c5 df452eef23e8cf2c f2d6ca16515033e5 f5375a46365089a8
    f5e95c9954635b65
    """
)
"""The first 16 digits of the SHA-256 of keys that everybody may use: those of documents (JSON web tokens, Stripe,
Telegram, Django REST framework, FastAPI, RFC 6455 and 6750), emulators (Azure) and playgrounds (MinIO, reCAPTCHA)."""

ROOTS = _words(
    """
    self cls this super os sys process window document module app flask django vars locals globals
    """
)
"""What the expressions of programs begin with."""

PAIRS = _words(
    """
    ab ac ad ag ai al am an ap ar as at ba be bl ca ce ch ci ck cl co cr ct da de di ea ec ed ee ef el em en ep er es
    et ev ex fe fi fo ge ha he hi ho ia ic id ie if ig il im in io ip ir is it iv ke la le li ll lo ly ma me mi mo mp
    na nc nd ne ng ni no ns nt oc od ol om on oo op or os ot ou ow pa pe pi pl po pp pr pt ra re ri rm ro rs rt sa sc
    se sh si so sp ss st su ta te th ti to tr ts tt tu ty ul un ur us ut va ve vi
    """
)
"""The pairs of letters that are most common in English words."""

SECRET = _words(
    """
    password passwords passwd passphrase passcode pass pwd secret secrets token credential credentials apikey
    secretkey accesskey privatekey dsn salt
    """
)
"""Words of names whose values are secret."""

BEFORE_KEY = _words(
    """
    api access private secret signing encryption auth master license account storage shared deploy
    """
)
"""Words that make the value of a name secret where ``key`` follows them."""

AFTER = _words(
    """
    env var variable name file path folder url uri header type limit limits length count id ttl expiry seconds hours
    days enabled required policy prefix field size max min budget usage cost price rate pattern format set
    """
)
"""The last words of names that are about a secret and hold none: ``api_key_env``, ``password_length``."""

SENTENCE = _words(
    """
    a an the this that these those it its they their your our my his her to of for from in on at by with without as
    and or but if when where which who what how why then than so because only also all any each every some one two
    first last same other another can could may might must should shall will would do does did done be been being are
    were use used uses using get gets set sets see enter provide provided create created generate generated add added
    send sent return returns returned read found given check checks make makes need needs needed contains based please
    let optional default defaults authentication authorization user users access api request response client server
    include same-origin omit
    """
)
"""Words with which a sentence goes on after ``token:``."""
