import pytest

from communication.channel_url import ChannelUrl, Parameters
from communication.errors import SettingsError


def parameters(query: str) -> Parameters:
    return Parameters(ChannelUrl.parse(f"null://?{query}"))


def test_a_url_is_taken_apart_and_percent_decoded() -> None:
    url = ChannelUrl.parse("smtp+starttls://us%40er:p%3A%2F%23@Mail.Example.com:2525/a%20b?x=1")
    assert (url.scheme, url.host, url.port) == ("smtp+starttls", "mail.example.com", 2525)
    assert (url.user, url.password, url.path) == ("us@er", "p:/#", "/a b")
    assert url.query == (("x", "1"),)


def test_an_ipv6_host_loses_its_brackets() -> None:
    assert ChannelUrl.parse("smtp://[::1]:25").host == "::1"


@pytest.mark.parametrize(
    "text", ["", "smtp", "smtp:host", "://", "smtp://h:port", "smtp://h:99999", "smtp://[::1"]
)
def test_what_is_no_url_is_a_settings_error(text: str) -> None:
    with pytest.raises(SettingsError):
        ChannelUrl.parse(text)


@pytest.mark.parametrize(
    "text",
    ["smtp://u:hunter2/x@host", "smtp://u:hunter2#x@host:25", "smtp://u:hunter2?@host:25"],
)
def test_an_error_about_a_url_does_not_tell_its_password(text: str) -> None:
    with pytest.raises(SettingsError) as caught:
        ChannelUrl.parse(text)
    assert "hunter2" not in str(caught.value)
    assert "percent-encode" in str(caught.value)


def test_the_parts_do_not_print_the_password() -> None:
    assert "hunter2" not in repr(ChannelUrl.parse("smtp://u:hunter2@host"))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("50ms", 0.05), ("10s", 10.0), ("1.5s", 1.5), ("2m", 120.0), ("1h", 3600), ("28d", 2_419_200)],
)
def test_durations_have_a_unit(text: str, seconds: float) -> None:
    assert parameters(f"d={text}").duration("d", 1.0) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "10", "s", "-1s", "1w", "1 s", "1e3s", "inf", "\u0661s"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match=r"null://: d=.*50ms"):
        parameters(f"d={text}").duration("d", 1.0)


def test_a_duration_can_be_too_short() -> None:
    with pytest.raises(SettingsError, match="at least 1000ms"):
        parameters("d=10ms").duration("d", 5.0, least=1.0)


@pytest.mark.parametrize("text", ["-0.1", "1.1", "nan", "1%", ""])
def test_a_share_is_between_0_and_1(text: str) -> None:
    assert parameters("p=0.25").share("p", 0.0) == pytest.approx(0.25)
    with pytest.raises(SettingsError, match="from 0 to 1"):
        parameters(f"p={text}").share("p", 0.0)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "1001", "²", ""])
def test_a_count_is_between_1_and_1000(text: str) -> None:
    assert parameters("n=8").count("n", 1) == 8
    with pytest.raises(SettingsError, match="from 1 to 1000"):
        parameters(f"n={text}").count("n", 1)


def test_a_flag_is_yes_or_no() -> None:
    assert parameters("f=no").flag("f", default=True) is False
    with pytest.raises(SettingsError, match="yes or no"):
        parameters("f=false").flag("f", default=True)


def test_a_parameter_that_nobody_asked_for_is_refused_and_the_known_are_named() -> None:
    given = parameters("latncy=50ms")
    given.duration("latency", 0.0)
    given.share("fail", 0.0)
    with pytest.raises(SettingsError, match="'latncy'; known are latency, fail"):
        given.end()


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(SettingsError, match="twice"):
        parameters("a=1&a=2")
