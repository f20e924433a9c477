"""Every middleware, outermost first: a request goes down this list, its answer comes up.

Thirteen are our own (`dashboard.`). Each says what it does, and why it stands where it stands.
"""

MIDDLEWARE = [
    # Gives the whole request room on Python's stack. Outermost: all calls lie above it.
    "dashboard.serving.stack.RoomOnStackMiddleware",
    # Gives the request its ID and logs one line for it. Outside of all that answers.
    "dashboard.serving.request_log.RequestLogMiddleware",
    # Headers of every answer. Outside of whatever may answer early or break.
    "dashboard.serving.headers.HeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    # Nothing in a page stays the same from answer to answer but what its reader may know: tokens
    # and keys of forms are masked or new each time, and the lengths are blurred (BREACH).
    "django.middleware.gzip.GZipMiddleware",
    # Takes every token out of a page. Outside of all that draws, inside of what compresses.
    "dashboard.serving.middleware.NoTokenShownMiddleware",
    # Refuses and cleans what comes in. Before anything else looks at it.
    "dashboard.serving.bounds.BoundsMiddleware",
    # The reader's time zone, and the address for the audit trail. Outside of all that needs them.
    "dashboard.serving.middleware.RequestContextMiddleware",
    # Answers what did not come over https, where it must. In place of the redirect of the next.
    "dashboard.serving.https.HttpsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    # Refuses all but GET, HEAD and POST. Before anybody is looked up.
    "dashboard.serving.middleware.MethodsMiddleware",
    # Answers a page that asks for news when there is none. Before its web session is read.
    "dashboard.serving.live.LookMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    # Ends a sign-in that is too old. As soon as it is known who is signed in.
    "dashboard.sign_in.web_sessions.SessionLimitsMiddleware",
    # Signs in whom the proxy in front names. Behind the limits, which may have just ended theirs.
    "dashboard.sign_in.proxy.ProxySignInMiddleware",
    # Bounds what is sent, by who sends it. As soon as that is settled, before a view or the check
    # for CSRF reads it: those come when the request has passed the whole list.
    "dashboard.serving.bounds.BodyMiddleware",
    # Sign-in, initial password, second factor. Innermost: only now it is settled who asks.
    "dashboard.sign_in.gates.GatesMiddleware",
]
