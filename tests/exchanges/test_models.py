"""The rows of exchanges: those there are from the start, and those that are refused."""

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from exchanges.models import Exchange

pytestmark = pytest.mark.django_db


def test_the_first_exchanges(settings):
    settings.LN_MARKETS_API_URL = None
    settings.PAPER_URL = "http://127.0.0.1:9999/v3"

    assert {exchange.slug: exchange.base_url for exchange in Exchange.objects.all()} == {
        "lnmarkets": "https://api.lnmarkets.com/v3",
        "lnmarkets-signet": "https://api.signet.lnmarkets.com/v3",
        "paper": "http://127.0.0.1:9999/v3",
    }
    for exchange in Exchange.objects.all():
        exchange.full_clean()
        assert exchange.is_enabled


@pytest.mark.parametrize(
    ("slug", "in_the_row", "in_the_settings", "expected"),
    [
        ("lnmarkets", "", "https://proxy.example.com/v3", "https://proxy.example.com/v3"),
        (
            "lnmarkets",
            "https://row.example.com/v3",
            "https://x.example.com",
            "https://row.example.com/v3",
        ),
        ("another", "https://row.example.com/v3", None, "https://row.example.com/v3"),
        ("another", "", None, ""),
    ],
)
def test_the_row_comes_before_the_settings(settings, slug, in_the_row, in_the_settings, expected):
    settings.LN_MARKETS_API_URL = in_the_settings

    assert Exchange(slug=slug, api_url=in_the_row).base_url == expected


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"api_url": "http://api.example.com/v3"}, "api_url", "address of an exchange must be"),
        ({"api_url": ""}, "api_url", "settings have none"),
        ({"adapter": "hyperliquid"}, "adapter", "not a valid choice"),
        ({"slug": "paper"}, "slug", "already exists"),
        ({"name": ""}, "name", "blank"),
    ],
)
def test_what_a_row_may_not_be(change, field, said):
    good = {
        "slug": "another",
        "name": "Another",
        "adapter": "lnmarkets",
        "api_url": "https://api.example.com/v3",
    }
    Exchange(**good).full_clean()

    with pytest.raises(ValidationError) as caught:
        Exchange(**good | change).full_clean()
    assert said in " ".join(caught.value.message_dict[field])


def test_in_the_admin_an_exchange_stays_where_it_is(admin_client):
    exchange = Exchange.objects.get(slug="lnmarkets")
    page = reverse("admin:exchanges_exchange_change", args=[exchange.pk])

    assert admin_client.get(reverse("admin:exchanges_exchange_changelist")).status_code == 200
    assert admin_client.get(page).status_code == 200
    elsewhere = {"name": "Renamed", "is_enabled": "on", "api_url": "https://thief.example.com/v3"}
    assert admin_client.post(page, elsewhere | {"slug": "other"}).status_code == 302

    exchange.refresh_from_db()
    assert (exchange.name, exchange.slug, exchange.api_url) == ("Renamed", "lnmarkets", "")


def test_in_the_admin_an_exchange_can_be_added(admin_client):
    form = {
        "slug": "another",
        "name": "Another",
        "adapter": "lnmarkets",
        "api_url": "https://api.example.com/v3",
        "is_enabled": "on",
    }
    assert admin_client.post(reverse("admin:exchanges_exchange_add"), form).status_code == 302

    assert Exchange.objects.get(slug="another").base_url == "https://api.example.com/v3"
