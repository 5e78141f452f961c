"""What a new template begins with: a message that could be sent, to be rewritten."""

LAYOUT = "_layouts/email.html"
FOOTER = "_partials/footer.txt"

DECLARATION = """\
description = "What this message is for, in a sentence."

# What the sender of a message gives. Use each in the texts as {{ firstName }}, and so on.

[characteristics.firstName]
type = "string"
required = true
example = "Ann"
description = "What the customer is called."

[characteristics.topic]
type = "string"
required = true
example = "your broadband"
description = "What the message is about, in a few words."

[characteristics.date]
type = "date"
required = false
example = 2025-04-30
description = "The day that it is about."

[characteristics.link]
type = "url"
required = false
example = "https://www.example.com/"
description = "Where there is more to read."
"""

SMS = """\
Hi {{ firstName }}, there is news about {{ topic }}.
{%- if date %} It is about {{ date|date }}.{% endif %}
{%- if link %} Read more: {{ link }}{% endif %}
"""

SUBJECT = "News about {{ topic }}\n"

PREHEADER = (
    "{% if date %}It is about {{ date|date }}.{% else %}It takes a minute to read.{% endif %}\n"
)

_CONTENT = """\
<p>Hi {{ firstName }},</p>
<p>There is news about {{ topic }}.{% if date %} It is about {{ date|date("full") }}.{% endif %}</p>
{% if link %}
<p><a class="button" href="{{ link }}">Read more</a></p>
{% endif %}
"""

IN_LAYOUT = f"""\
{{% extends "{LAYOUT}" %}}

{{% block heading %}}News about {{{{ topic }}}}{{% endblock %}}

{{% block content %}}
{_CONTENT}{{% endblock %}}
"""

WHOLE_PAGE = f"""\
<!doctype html>
<html lang="{{{{ locale }}}}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>News about {{{{ topic }}}}</title>
  <style>
    body {{ max-width: 600px; margin: 0 auto; padding: 24px; font: 16px/1.5 Arial, sans-serif; }}
    h1 {{ font-size: 24px; line-height: 1.25; }}
    .preheader {{ display: none; }}
  </style>
</head>
<body>
<div class="preheader">{{{{ preheader }}}}</div>
<h1>News about {{{{ topic }}}}</h1>
{_CONTENT}</body>
</html>
"""

TEXT = """\
Hi {{ firstName }},

There is news about {{ topic }}.{% if date %} It is about {{ date|date("full") }}.{% endif %}
{%- if link %}

Read more: {{ link }}
{%- endif %}
"""

TEXT_FOOTER = f"""\

{{% include "{FOOTER}" %}}
"""

PUSH_TITLE = "News about {{ topic }}\n"

PUSH = (
    "Hi {{ firstName }}{% if date %}: it is about {{ date|date }}{% endif %}. Tap to read more.\n"
)
