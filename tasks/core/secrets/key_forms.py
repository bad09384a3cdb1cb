"""The forms of the keys that providers hand out: what one begins with, which characters follow, and how many.

The facts are the providers' own: their documentation of token formats, and GitHub's list "Supported secret scanning
patterns".
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Form(NamedTuple):
    """One form of keys.

    Attributes:
        kind: whose key it is, for people.
        begins: what such a key begins with.
        likely: a pattern of what follows where a text that is shown loses it: better one word too many than a key.
        certain: a pattern of what follows where a file is said to hold one: as long as those that are handed out.
    """

    kind: str
    begins: tuple[str, ...]
    likely: str
    certain: str


_WORD, _ALNUM, _LOWER, _UPPER = r"[\w-]", "[A-Za-z0-9]", "[a-z0-9]", "[A-Z0-9]"
_HEX, _ANY_HEX, _BASE64, _BASE32 = "[0-9a-f]", "[0-9A-Fa-f]", "[A-Za-z0-9+/]", "[a-z2-7]"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_END = r"(?![\w-])"


def _of(kind: str, begins: str, alphabet: str, likely: int, certain: int) -> Form:
    """Return a form of one alphabet: with *likely* characters it is taken out, with *certain* ones it is reported."""
    return Form(kind, tuple(begins.split()), f"{alphabet}{{{likely},}}+", f"{alphabet}{{{certain},}}+")


def _shaped(kind: str, begins: str, shape: str, likely: str | None = None) -> Form:
    """Return a form whose parts have lengths of their own; cut short it is taken out where *likely* is given."""
    return Form(kind, tuple(begins.split()), f"(?:{shape}|{likely})" if likely else shape, shape)


_LANGUAGE_MODELS = (
    _of("key of OpenAI, DeepSeek or the like", "sk-", _WORD, 8, 24),
    _of("key of Anthropic", "sk-ant-", _WORD, 8, 80),
    _of("key of OpenRouter", "sk-or-v1-", _HEX, 8, 64),
    _of("key of Langfuse", "sk-lf-", _WORD, 8, 36),
    _of("key of xAI", "xai-", _WORD, 8, 24),
    _of("key of Groq", "gsk_", _ALNUM, 20, 40),
    _of("key of NVIDIA", "nvapi-", _WORD, 16, 60),
    _of("key of Perplexity", "pplx-", _ALNUM, 16, 40),
    _of("key of Cerebras", "csk-", _LOWER, 24, 48),
    _of("key of Together AI", "tgp_v1_", _WORD, 16, 43),
    _of("key of Fireworks AI", "fw_", _ALNUM, 20, 22),
    _of("token of Replicate", "r8_", _WORD, 24, 37),
    _of("token of Hugging Face", "hf_ api_org_", _ALNUM, 16, 30),
    _shaped("key of LangSmith", "lsv2_pt_ lsv2_sk_", r"[0-9a-f]{32}_[0-9a-f]{8,12}", r"\w{16,}+"),
    _shaped("key of Pinecone", "pcsk_", r"[A-Za-z0-9]{4,8}_[A-Za-z0-9]{40,}+", r"\w{24,}+"),
    _of("key of Voyage AI", "pa-", _WORD, 40, 43),
    _of("key of Jina AI", "jina_", _WORD, 24, 40),
    _of("key of Tavily", "tvly-", _WORD, 16, 30),
    _of("key of Firecrawl", "fc-", _HEX, 32, 32),
    _of("key of E2B", "e2b_", _HEX, 24, 40),
    _of("key of ElevenLabs", "sk_", _HEX, 48, 48),
    _shaped("key of RunPod", "rpa_", r"[A-Z0-9]{30,}+[A-Za-z0-9]{0,8}+"),
    _of("key of Weights & Biases", "wandb_v1_", r"\w", 24, 70),
    _of("token of Logfire", "pylf_v1_", r"\w", 20, 40),
    _of("key of Apify", "apify_api_", _ALNUM, 16, 30),
    _of("key of Browserbase", "bb_live_", _WORD, 16, 20),
    _of("key of Anyscale", "esecret_", _ALNUM, 20, 26),
    _of("token of Friendli", "flp_", _ALNUM, 24, 30),
    _of("key of Mem0", "m0-", _ALNUM, 36, 40),
    _shaped("key of Cursor", "key_", r"[0-9a-f]{64}"),
    _shaped(
        "key of Brave Search", "BSA", r"(?=[\w-]{0,27}[a-z])(?=[\w-]{0,27}[A-Z])(?=[\w-]{0,27}[0-9])[\w-]{27,32}" + _END
    ),
    _of("key of Context7", "ctx7sk-", _WORD, 16, 30),
    _of("key of Devin", "apk_user_ apk_", r"[A-Za-z0-9+/=]", 60, 80),
    _of("key of Helicone", "sk-helicone-", _WORD, 8, 24),
)

_CODE_HOSTS_AND_REGISTRIES = (
    _of("token of GitHub", "ghp_ gho_ ghu_ ghs_ ghr_", r"[\w.]", 8, 36),
    _of("token of GitHub", "github_pat_", r"\w", 8, 50),
    _of(
        "token of GitLab",
        "glpat- gldt- glrt- glrtr- glptt- glft- glimt- glagent- glcbt- glsoat- glffct- gloas- GR1348941",
        r"[\w.=-]",
        8,
        20,
    ),
    _of("token of Bitbucket", "ATBB", r"[\w=-]", 24, 28),
    _of("token of Atlassian", "ATATT3 ATCTT3", r"[\w=-]", 20, 100),
    _of("token of npm", "npm_", _ALNUM, 30, 36),
    _of("token of PyPI", "pypi-", _WORD, 40, 60),
    _of("token of RubyGems", "rubygems_", _ALNUM, 16, 48),
    _shaped("token of crates.io", "cio", r"(?=[A-Za-z]{0,31}[0-9])[A-Za-z0-9]{32}" + _END),
    _shaped("key of NuGet", "oy2", r"[a-z0-9]{43}" + _END),
    _of("token of Clojars", "CLOJARS_", _LOWER, 30, 60),
    _of("token of Packagist", "packagist_uat_ packagist_oat_ packagist_ack_ packagist_acs_", r"\w", 20, 40),
    _of("token of Docker Hub", "dckr_pat_ dckr_oat_", _WORD, 16, 27),
    _of("key of Artifactory", "AKCp", _ALNUM, 50, 64),
    _of("token of Artifactory", "cmVmd", _ALNUM, 50, 56),
    _of("key of Cloudsmith", "csa_", _ALNUM, 36, 36),
    _of("token of Open VSX", "ovsxat_ ovsxp_", _WORD, 20, 36),
    _of("token of SonarQube", "squ_ sqp_ sqa_ sqb_", _HEX, 24, 40),
    _of("token of SonarQube Cloud", "sqco_", _ALNUM, 30, 50),
    _of("token of Snyk", "snyk_uat. snyk_sat.", r"[\w.-]", 20, 40),
    _of("token of Bitbucket Data Center", "BBDC-", r"[A-Za-z0-9+/@_-]", 30, 40),
    _of("token of Sourcegraph or Segment", "sgp_ slk_", r"[0-9A-Za-z_]", 40, 40),
    _of("token of CircleCI", "CCIPAT_ CCIPRJ_", r"\w", 24, 50),
    _of("token of Buildkite", "bkua_ bkaa_ bkaj_ bkar_ bkct_ bkpt_ bkpat_ bkps_", _WORD, 24, 40),
    _shaped("token of Codecov", "codecov_", _UUID),
    _shaped("token of Octopus Deploy", "API-", r"[A-Z0-9]{25,32}" + _END),
    _shaped("token of Harness", "pat. sat.", r"[\w-]{22}\.[0-9a-zA-Z]{24}\.[A-Za-z0-9]{20}"),
    _of("key of Infracost", "ico-", _ALNUM, 32, 32),
    _of("token of Chromatic", "chpt_", _LOWER, 12, 14),
    _of("token of Postman", "PMAK-", r"[0-9A-Za-z-]", 24, 50),
    _of("key of ReadMe", "rdme_", _LOWER, 30, 60),
    _of("token of Mergify", "mergify_application_key_", _WORD, 20, 40),
)

_CLOUDS = (
    _shaped("access key of AWS", "AKIA ASIA ABIA ACCA", r"[A-Z0-9]{16}(?![A-Z0-9])"),
    _shaped("access key of AWS", "A3T", r"[A-Z0-9]{17}(?![A-Z0-9])"),
    _of("key of AWS Bedrock", "ABSK", r"[A-Za-z0-9+/=]", 60, 100),
    _of("key of AWS Bedrock", "bedrock-api-key-", r"[A-Za-z0-9+/=]", 24, 60),
    _of("key of Google", "AIza", _WORD, 20, 35),
    _of("key of Google", "AQ.Ab8", _WORD, 30, 40),
    _of("client secret of Google", "GOCSPX-", _WORD, 16, 24),
    _of("access token of Google", "ya29.", r"[\w.-]", 20, 40),
    _of("refresh token of Google", "1//0", _WORD, 30, 40),
    _shaped("access key of Alibaba Cloud", "LTAI", r"(?=[A-Za-z]{0,23}[0-9])[A-Za-z0-9]{16,24}" + _END),
    _shaped("access key of Tencent Cloud", "AKID", r"(?=[A-Za-z]{0,35}[0-9])[A-Za-z0-9]{32,36}" + _END),
    _shaped("key of Yandex Cloud", "AQVN", r"[\w-]{35,38}" + _END),
    _of("token of Yandex Cloud", "y0_", _WORD, 40, 50),
    _of("token of DigitalOcean", "dop_v1_ doo_v1_ dor_v1_", _HEX, 16, 64),
    _of("token of Cloudflare", "cfut_ cfat_ cfk_ cfast_", _ALNUM, 24, 40),
    _of("key of Cloudflare", "v1.0-", "[0-9A-Za-z-]", 60, 150),
    _of("token of Vercel", "vcp_ vci_ vca_ vcr_ vck_", _WORD, 24, 50),
    _of("token of Netlify", "nfp_ nfc_ nfo_ nfu_ nfb_", _ALNUM, 24, 36),
    _of("key of Render", "rnd_", _ALNUM, 26, 26),
    _of("key of Heroku", "HRKU-", _WORD, 30, 36),
    _of("token of Fly.io", "fo1_", _WORD, 30, 43),
    _of("token of Fly.io", "fm1a_ fm1r_ fm2_", r"[A-Za-z0-9+/=]", 50, 100),
    _of("token of Deno Deploy", "ddp_ ddw_ ddo_", _ALNUM, 24, 36),
    _of("token of Val Town", "vtwn_", _WORD, 20, 24),
    _of("key of Scaleway", "SCW", _UPPER, 17, 17),
    _of("token of Scalingo", "tk-us-", _WORD, 30, 48),
    _of("key of Exoscale", "EXO", "[0-9a-f]", 24, 24),
    _of("token of Pulumi", "pul-", _LOWER, 24, 40),
    _of("token of Databricks", "dapi dkea dose", _HEX, 32, 32),
    _of("token of HashiCorp Vault", "hvs. hvb. hvr.", _WORD, 20, 24),
    _of("token of Doppler", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.", r"[\w.-]", 24, 40),
    _of("token of Infisical", "st.", r"[0-9a-f.]", 60, 90),
    _of("token of 1Password", "ops_eyJ", r"[A-Za-z0-9+/=_-]", 40, 100),
    _shaped("secret key of 1Password", "A3-", r"[A-Z0-9]{6}(?:-[A-Z0-9]{5,11}){4,5}"),
    _of("secret key of age", "AGE-SECRET-KEY-1", _UPPER, 30, 58),
    _of("key of Tailscale", "tskey-", _WORD, 16, 24),
    _of("token of OpenShift", "sha256~", _WORD, 30, 43),
    _of("key of Upcloud", "ucat_", _UPPER, 24, 24),
    _of("token of Dynatrace", "dt0c01. dt0s01. dt0s02. dt0s03. dt0s16.", r"[A-Za-z0-9.]", 30, 60),
)

_DATA = (
    _of("token of Supabase", "sbp_", _LOWER, 24, 40),
    _of("secret key of Supabase", "sb_secret_", _WORD, 16, 30),
    _of("key of Neon", "napi_", _LOWER, 32, 60),
    _of("password of PlanetScale", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[\w.=-]", 16, 32),
    _of("secret of MongoDB Atlas", "mdb_sa_sk_", _WORD, 20, 40),
    _of("key of CockroachDB", "CCDB1_", r"\w", 30, 60),
    _of("token of DataStax", "AstraCS:", r"[\w:]", 20, 40),
    _of("key of ClickHouse", "4b1d", _ALNUM, 38, 38),
    _of("key of Elastic", "essu_", r"[\w=-]", 30, 60),
    _of("token of Prefect", "pnu_ pnb_", _ALNUM, 24, 36),
    _shaped("token of Airtable", "pat", r"[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    _of("key of Tinybird", "p.eyJ", r"[\w.-]", 40, 60),
    _of("key of Contentful", "CFPAT-", _WORD, 24, 43),
    _of("token of Sanity", "sk", _ALNUM, 80, 100),
)

_WATCHING = (
    _of("token of Grafana", "glsa_", r"\w", 20, 41),
    _of("token of Grafana Cloud", "glc_", r"[A-Za-z0-9+/=]", 30, 32),
    _of("key of Grafana", "eyJrIjoi", r"[A-Za-z0-9+/=]", 40, 60),
    _of("key of New Relic", "NRAK- NRII- NRIQ- NRAA- NRBR- NRJS-", _WORD, 16, 19),
    _of("token of Sentry", "sntrys_ sntryu_ sntrya_ sntryi_", r"[\w+/=-]", 24, 60),
    _of("key of Honeycomb", "hcaik_ hcbik_ hcalk_ hcxik_", _ALNUM, 24, 50),
    _of("key of PostHog", "phx_ phs_", _WORD, 24, 41),
    _shaped("token of Axiom", "xaat- xapt-", _UUID),
    _of("token of Datadog", "ddapp_ ddpat_", _ALNUM, 24, 32),
    _of("key of Rootly", "rootly_", _HEX, 32, 64),
    _of("key of StackHawk", "hawk.", r"[\w.-]", 36, 40),
    _shaped("key of LaunchDarkly", "sdk- api- mob-", _UUID),
    _of("token of Statsig", "secret-", _ALNUM, 36, 40),
    _of("key of ConfigCat", "configcat-sdk-1/", r"[\w/-]", 30, 45),
    _of("key of DevCycle", "dvc_server_", r"\w", 16, 24),
    _of("token of Checkly", "cu_", _HEX, 32, 32),
)

_PEOPLE = (
    _of(
        "token of Slack",
        "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxc- xoxd- xoxe.xoxb- xoxe.xoxp-",
        r"[\w%-]",
        8,
        20,
    ),
    _of("token of Slack", "xapp-", _WORD, 16, 40),
    _of("token of Notion", "ntn_", _ALNUM, 24, 40),
    _shaped("token of Notion", "secret_", r"[A-Za-z0-9]{43}" + _END),
    _of("key of Linear", "lin_api_ lin_oauth_", _ALNUM, 24, 40),
    _of("token of Figma", "figd_ figo_ figu_ figor_ figoh_ figp_", r"[\w=-]", 24, 36),
    _of("token of Typeform", "tfp_", r"[\w.=-]", 30, 40),
    _shaped(
        "token of HubSpot",
        "pat-na1- pat-eu1- pat-na2- pat-ap1-",
        r"[0-9A-Za-z]{8}(?:-[0-9A-Za-z]{4}){3}-[0-9A-Za-z]{12}",
    ),
    _shaped("key of SendGrid", "SG.", r"[\w-]{20,24}\.[\w-]{39,47}"),
    _of("key of Brevo", "xkeysib- xsmtpsib-", r"[0-9a-zA-Z-]", 30, 70),
    _of("key of Mailgun", "key-", _LOWER, 32, 32),
    _of("key of MailerSend", "mlsn.", _ALNUM, 30, 40),
    _shaped("key of Resend", "re_", r"[A-Za-z0-9]{8}_[A-Za-z0-9]{20,}+"),
    _of("key of OneSignal", "os_v2_app_ os_v2_org_", _BASE32, 40, 90),
    _shaped("key of Twilio", "SK", r"[0-9a-fA-F]{32}(?![A-Za-z0-9])"),
    _of("key of Zuplo", "zpka_", r"\w", 30, 40),
    _of("token of Frame.io", "fio-u-", r"[\w=-]", 30, 60),
    _shaped("token of Asana", "0/ 1/", r"[0-9]{10,20}:[0-9a-f]{32}"),
    _of("secret of Canva", "cnvca", _WORD, 51, 51),
    _shaped("token of ClickUp", "pk_", r"[0-9]{6,9}_[A-Z0-9]{32}"),
    _of("key of Intra 42", "s-s4t2ud- s-s4t2af- u-s4t2ud- u-s4t2af-", _HEX, 32, 64),
    _of("token of Dropbox", "sl. sl.u.", _WORD, 60, 100),
    _of("token of Facebook", "EAAC EAAM EAAB EAAG EAAD", _ALNUM, 60, 90),
    _of("token of Instagram", "IGQV IGAA", _ALNUM, 80, 100),
    _of("key of Mapbox", "sk.eyJ", r"[\w.-]", 30, 60),
    _shaped("key of WakaTime", "waka_", _UUID),
    _of("key of Adafruit IO", "aio_", _ALNUM, 28, 28),
    _shaped("key of Voiceflow", "VF.", r"(?:(?:DM|WS)\.)?[0-9a-fA-F]{24}\.[A-Za-z0-9]{16}"),
    _of("client secret of Adobe", "p8e-", _WORD, 30, 32),
    _of("key of Bannerbear", "bb_ma_ bb_pr_", _LOWER, 24, 30),
    _shaped("key of Close", "api_", r"[0-9A-Za-z]{20,24}\.[0-9A-Za-z]{20,24}"),
    _shaped("key of Klaviyo", "pk_", r"(?:[A-Za-z0-9]{6}_)?[0-9a-f]{34}(?![0-9a-f])"),
    _of("token of Intercom", "dG9rO", r"[A-Za-z0-9=]", 40, 50),
    _of("key of Beamer", "b_", r"[\w=-]", 44, 44),
    _shaped("token of Okta", "00", r"(?=[\w-]{0,39}[A-Z])(?=[\w-]{0,39}[a-z])[\w-]{40}" + _END),
    _shaped("secret key of PubNub", "sec-c-", r"[A-Za-z0-9=]{32,}+"),
    _of("token of Ubidots", "BBFF-", _ALNUM, 24, 30),
    _of("token of Ionic", "ion_", _ALNUM, 42, 42),
    _of("key of FullStory", "na1.", _BASE64, 60, 90),
    _of("token of Flexport", "shltm_", _WORD, 30, 40),
    _of("key of Fleetbase", "flb_live_", _ALNUM, 16, 20),
    _of("key of Nightfall", "NF-", _ALNUM, 32, 32),
    _of("key of Dependency-Track", "odt_", _ALNUM, 32, 32),
    _of("token of SettleMint", "sm_aat_ sm_pat_ sm_sat_", _ALNUM, 12, 16),
    _of("key of Salad", "salad_cloud_", r"\w", 24, 30),
    _of("token of Samsara", "samsara_api_", _ALNUM, 20, 26),
    _of("key of Pinterest", "pina_", _WORD, 30, 40),
    _of("token of Thunderstore", "tss_", _WORD, 30, 32),
    _of("token of Matrix", "syt_", r"\w", 30, 36),
    _of("token of Defined Networking", "dnkey-", r"[\w=-]", 40, 70),
    _of("key of Unkey", "unkey_", _ALNUM, 20, 22),
    _of("token of Lichess", "lip_", _ALNUM, 20, 20),
    _of("token of Workato", "wrkaus- wrkaeu- wrkatrial-", r"[\w.-]", 60, 100),
)

_PAYMENTS = (
    _of(
        "key of Stripe", "sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_ sk_org_live_ sk_org_test_", _WORD, 8, 16
    ),
    _of("webhook secret of Stripe or Svix", "whsec_", r"[A-Za-z0-9+/=]", 16, 24),
    _of("token of Square", "sq0atp- sq0csp-", _WORD, 16, 22),
    _shaped(
        "token of Square", "EAAA", r"(?=[\w-]{0,59}[0-9])(?=[\w-]{0,59}[a-z])(?=[\w-]{0,59}[A-Z])[\w-]{24,60}" + _END
    ),
    _of("token of Shopify", "shpat_ shpca_ shppa_ shpss_ shpua_ shprka_ shpctk_", _ANY_HEX, 16, 32),
    _of("key of Shippo", "shippo_live_ shippo_test_", _ANY_HEX, 20, 40),
    _of("key of EasyPost", "EZAK EZTK", _ALNUM, 40, 54),
    _of("token of Duffel", "duffel_live_ duffel_test_", r"[\w=-]", 24, 43),
    _of("key of Flutterwave", "FLWSECK-", r"[0-9A-Za-z-]", 16, 32),
    _of("key of Flutterwave", "FLWSECK_TEST-", r"[0-9A-Za-z-]", 12, 12),
    _of("key of Paddle", "pdl_live_apikey_ pdl_sdbx_apikey_", r"\w", 30, 45),
    _of("key of Polar", "polar_at_ polar_oat_ polar_pat_", _WORD, 20, 24),
    _shaped("token of Plaid", "access-production- access-development- access-sandbox-", _UUID),
    _of("secret of Ramp", "ramp_sec_", _ALNUM, 30, 48),
    _shaped("key of Lob", "live_ test_", r"[0-9a-f]{35}" + _END),
    _of("token of GoCardless", "live_", r"[\w=-]", 40, 40),
    _of("key of Asaas", "$aact_prod_ $aact_hmlg_", _WORD, 20, 40),
    _shaped("token of Mercury", "mercury_production_", r"[a-z]{3,6}_[A-Za-z0-9]{40,50}_yrucrem"),
    _of("key of Razorpay", "rzp_live_ rzp_test_", _ALNUM, 14, 14),
    _of("key of Pagar.me", "ak_live_ ak_test_", _ALNUM, 24, 30),
    _of("key of Persona", "persona_production_ persona_sandbox_", _WORD, 20, 24),
    _of("key of Onfido", "api_live. api_live_us. api_live_ca. api_sandbox.", _WORD, 20, 24),
    _shaped("key of PayMongo, Clerk, WorkOS or the like", "sk_", r"[a-z]{2,8}_[A-Za-z0-9]{24,}+"),
)

FORMS: tuple[Form, ...] = (
    *_LANGUAGE_MODELS,
    *_CODE_HOSTS_AND_REGISTRIES,
    *_CLOUDS,
    *_DATA,
    *_WATCHING,
    *_PEOPLE,
    *_PAYMENTS,
)

BEGINS: tuple[str, ...] = tuple(sorted({begin for form in FORMS for begin in form.begins}))
"""What keys begin with."""


class Inner(NamedTuple):
    """A form that is known by a sign inside it.

    Attributes:
        sign: the sign.
        before: characters before it at most, and one more.
        head: a pattern of what ends with the sign.
        whole: a pattern of all of it.
        kind: whose key it is.
    """

    sign: str
    before: int
    head: str
    whole: str
    kind: str


def _inner(sign: str, before: int, kind: str, head: str, tail: str) -> Inner:
    head = f"(?<![A-Za-z0-9]){head}{re.escape(sign)}"
    return Inner(sign, before + 1, rf"{head}\Z", head + tail, kind)


_ENDS = "(?![A-Za-z0-9])"

INNER = (
    _inner(".atlasv1.", 14, "token of Terraform Cloud", "[A-Za-z0-9]{14}", r"[\w=-]{60,90}"),
    _inner("Q~", 4, "client secret of Azure", r"[\w.~-]{3}[0-9]", r"[\w.~-]{31,34}(?![\w.~-])"),
    _inner("JQQJ9", 52, "key of Azure", "[A-Za-z0-9]{52}", "[0-9A-Za-z]{27,32}(?![A-Za-z0-9])"),
    _inner("+ASt", 76, "key of Azure", "[A-Za-z0-9+/]{76}", "[A-Za-z0-9+/]{6}=="),
    _inner(":AA", 13, "token of a Telegram bot", "(?:bot)?[0-9]{8,10}", r"[\w-]{32,34}(?![\w-])"),
    *(_inner(f"-us{first}", 32, "key of Mailchimp", "[0-9a-f]{32}", "[0-9]?(?![A-Za-z0-9])") for first in range(1, 10)),
    _inner("_mmk", 36, "licence key of MaxMind", "[A-Za-z0-9]{6}_[A-Za-z0-9]{29}", _ENDS),
    _inner("FFFFNRAL", 32, "licence key of New Relic", "(?:[0-9a-f]{32}|eu01xx[0-9a-f]{26})", _ENDS),
    _inner("!A", 18, "session of Salesforce", "00D[A-Za-z0-9]{12,15}", "[A-Za-z0-9._]{79,300}"),
    _inner("1000.", 0, "token of Zoho", "", r"[0-9a-f]{32}\.[0-9a-f]{32}(?![A-Za-z0-9])"),
    _inner("jsn", 33, "key of RapidAPI", "[a-z0-9]{10}msh[a-z0-9]{15,20}", "[a-z0-9]{12}(?![A-Za-z0-9])"),
    *(
        _inner(
            f".acc{gap}",
            46,
            "key of Authress",
            r"(?:sc|ext|scauth|authress)_[a-z0-9]{5,30}\.[a-z0-9]{4,6}",
            r"[a-z0-9-]{10,32}\.[\w+/=-]{30,120}",
        )
        for gap in "_-"
    ),
    _inner("gcntfy-", 0, "key of GC Notify", "", rf"\w{{1,64}}-{_UUID}-{_UUID}"),
    _inner("A" * 20, 0, "bearer token of X", "", r"A{0,4}[A-Za-z0-9%]{60,100}(?![A-Za-z0-9%])"),
)
