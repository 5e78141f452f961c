"""The text part derived from an email's HTML."""

import pytest

from worker.templates.plain_text import text_of


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>Hello\n  <b>Ann</b>!</p><p>Bye</p>", "Hello Ann!\n\nBye"),
        ("<h1>Title</h1>a<br>b", "Title\n\na\nb"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
        ('<a href="https://x.ex/a?b=1&amp;c=2">Go</a> on', "Go: https://x.ex/a?b=1&c=2 on"),
        ('<a href="https://x.example">https://x.example</a>', "https://x.example"),
        ('<a href="mailto:a@x.example">a@x.example</a>', "a@x.example"),
        ('<a href="https://x.example"><img src="i.png" alt="Shop"></a>', "Shop: https://x.example"),
        ('<a href="#top">up</a>', "up"),
        ("<table><tr><th>Order</th><td>7</td></tr><tr><td>Sum</td><td>9</td></tr></table>",
         "Order 7\nSum 9"),
        ("<head><title>t</title><style>p{}</style></head><body>x</body>", "x"),
        ('<div style="display: none">hidden <p>too</p></div>seen', "seen"),
        ('<p hidden>no</p><p aria-hidden="true">no</p><img aria-hidden="true" alt="no">yes', "yes"),
        ("a<hr>b", "a\n\n---\n\nb"),
        ("1 &lt; 2 &amp; 3&nbsp;", "1 < 2 & 3"),
        ("<!-- no --><!--[if mso]><p>no</p><![endif]-->yes", "yes"),
        ("<script>alert(1)</script>x</p></div>", "x"),
    ],
)  # fmt: skip
def test_html_reads_as_text(markup: str, text: str) -> None:
    assert text_of(markup) == text
