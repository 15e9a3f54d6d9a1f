"""Links, in a real browser: Share's link reopens a page in the same state, and no link breaks a page."""

import re
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser import actions
from tests.browser.serving import serve

PAGES = ["Draw", "Train", "Sweep", "Runs", "Models", "Data", "Gallery"]


@pytest.fixture
def reopened(visitor, server, fresh_server):
    """Return a function that opens a link as another visitor, here and as the first request to a fresh server."""

    def reopen(link):
        assert link.startswith(server.url)
        for address in (link, link.replace(server.url, fresh_server.url)):
            page = visitor()
            actions.open_page(page, address)
            yield page
            expect(page).to_have_title(re.compile("Digits"))
            entries = page.get_by_role("navigation").get_by_role("link")
            expect(entries).to_have_count(len(PAGES))
            for entry, name in zip(entries.all(), PAGES, strict=True):
                expect(entry).to_have_accessible_name(name)
            expect(actions.notices(page)).to_have_count(0)
            assert not actions.exception_boxes(page)
            page.goto("about:blank")  # before the fresh server ends

    return reopen


def test_a_shared_train_page_has_the_same_settings(visitor, reopened):
    """Settings changed by keyboard are part of the link."""
    page = visitor()
    actions.open_page(page, "/train")
    actions.network(page, "Convolutional").click()
    expect(page).to_have_url(actions.holding("network=convolutional"))
    actions.slide(page, "Learning rate", "ArrowRight", shows="0.0025")
    actions.slide(page, "Iterations", "ArrowLeft", shows="2,400")
    actions.slide(page, "Dropout", "ArrowRight", shows="0.55")
    for other in reopened(actions.share(page)):
        expect(other.get_by_role("radio", name="Convolutional")).to_be_checked()
        for label, value in (("Learning rate", "0.0025"), ("Iterations", "2,400"), ("Dropout", "0.55")):
            expect(other.get_by_role("group", name=label)).to_contain_text(value)
        expect(actions.button(other, "Start")).to_be_enabled()


def test_a_shared_gallery_shows_the_same_samples(visitor, reopened):
    """Model, filter, class, random order and the enlarged sample are part of the link."""
    page = visitor()
    actions.open_page(page, "/gallery?model=softmax&class=5")
    page.get_by_role("radio", name="Correct").click()
    expect(page).to_have_url(actions.holding("show=correct"))
    page.get_by_role("radio", name="Random").click()
    expect(page).to_have_url(actions.holding("shuffle="))
    actions.settle(page)
    link, samples = actions.share(page), actions.labels(actions.tiles(page))
    assert samples
    numbers = [int(re.search(r"sample (\d+)", label)[1]) for label in samples]
    assert numbers != sorted(numbers)

    actions.tiles(page).first.click()
    large = page.get_by_role("dialog")
    expect(large).to_be_visible()
    expect(page).to_have_url(actions.holding("sample="))
    sample = re.search(r"\bsample=\d+", page.url)[0]
    for other in reopened(f"{link}&{sample}"):
        expect(other.get_by_role("dialog")).to_contain_text(f"Sample {int(sample.partition('=')[2]):,}.")
        other.keyboard.press("Escape")
        expect(actions.tiles(other)).to_have_count(len(samples))
        assert actions.labels(actions.tiles(other)) == samples


def test_a_shared_drawing_is_on_the_sheet_and_read_by_the_same_model(visitor, reopened):
    """The strokes and the model that reads them are part of the link."""
    page = visitor()
    actions.open_page(page, "/")
    actions.choose(page, "Model", re.compile("^ReLU layers"))
    actions.draw(page, actions.SEVEN)
    actions.expect_answer(page, "7")
    first = actions.seen_pixels(page)
    actions.draw(page, actions.SEVENS_BAR)
    actions.expect_seen_pixels(page, lambda pixels: pixels != first)
    model, drawn = page.get_by_role("combobox", name="Model").input_value(), actions.sheet_pixels(page)
    for other in reopened(actions.share(page)):
        actions.expect_answer(other, "7")
        expect(other.get_by_role("combobox", name="Model")).to_have_value(model)
        assert actions.is_same_ink(actions.sheet_pixels(other), drawn)


HOSTILE = [
    ("/", {"ink": "1\N{PILE OF POO}zzzz", "pen": "-5", "model": "../../etc/passwd"}),
    ("/", {"ink": "1" + "_" * 9000}),
    ("/train", {"network": "<img src=x onerror=alert(1)>", "learning_rate": "nan", "iterations": "1e9", "seed": "-1"}),
    ("/train", {"run": "' OR 1=1 --", "dropout": "0.5; DROP TABLE runs"}),
    ("/train", {"run": "nobodys-run"}),
    ("/gallery", {"model": "nobodys-model", "hundred": "-1", "shuffle": "99999999999", "class": "x" * 39}),
    ("/gallery", {"sample": "999999999", "show": "<script>alert(1)</script>"}),
    ("/models", {"model": "nobodys-model", "class": "ten", "read": "9" * 39}),
]


def test_a_hostile_link_gives_a_notice_and_a_working_page(visitor):
    """For any link, the page opens, says which values it did not use, and works."""
    page = visitor()
    for path, query in HOSTILE:
        actions.open_page(page, f"{path}?{urlencode(query)}")
        expect(actions.notices(page).first).to_contain_text(re.compile("link|known|name"))
        if path == "/":
            actions.draw(page, actions.SEVEN)
            actions.expect_answer(page, "7")
        elif path == "/train":
            expect(actions.button(page, "Start")).to_be_enabled()
        elif path == "/gallery":
            expect(actions.tiles(page).first).to_be_visible()
        else:
            expect(page.get_by_role("heading", name="Most confident errors")).to_be_visible()
        assert not actions.exception_boxes(page)


def test_the_menu_leads_to_every_page(visitor):
    """The menu opens each page, and going back and forth keeps the choices."""
    page = visitor()
    actions.open_page(page, "/train")
    actions.slide(page, "Iterations", "ArrowRight", shows="2,100")
    for name in ("Gallery", "Models", "Draw", "Train"):
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()
        actions.settle(page)
    expect(page.get_by_role("group", name="Iterations")).to_contain_text("2,100")
    actions.go_back(page, "Draw")


def test_no_link_loads_anything_from_elsewhere(visitor):
    """A picture or a link in a parameter is shown as text; the browser asks no other host for anything."""
    page, asked = visitor(), []
    page.on("request", lambda request: asked.append(request.url))
    for hostile in ("![](//elsewhere.invalid/x.png)", "[press](//elsewhere.invalid) http://elsewhere.invalid"):
        actions.open_page(page, f"/?{urlencode({'model': hostile, 'pen': hostile})}")
        expect(actions.notices(page)).to_have_count(2)
        expect(actions.notices(page).first).to_contain_text("elsewhere.invalid")
        expect(actions.notices(page).first.get_by_role("link")).to_have_count(0)
    hosts = {urlsplit(address).hostname for address in asked}
    assert "elsewhere.invalid" not in hosts


def test_a_phone_shares_through_its_own_sheet_and_back_needs_one_press(visitor):
    """Share hands the link to the system where there is a touch screen; a page's own changes are no steps of Back."""
    page = visitor(**actions.PHONE)
    page.add_init_script("navigator.share = async (what) => { window.shared = what }")
    actions.open_page(page, "/gallery")
    page.locator(".st-key-tabs").get_by_role("link", name="Train").click()
    expect(page.get_by_role("heading", level=1, name="Train")).to_be_visible()
    actions.network(page, "Softmax").click()
    expect(page).to_have_url(actions.holding("network=softmax"))
    actions.settle(page)
    page.get_by_role("button", name="Share").click()
    page.wait_for_function("window.shared")
    assert "network=softmax" in page.evaluate("window.shared.url")
    assert page.evaluate("window.shared.title") == "Train · Digits"
    actions.go_back(page, "Gallery")


def test_the_pages_may_lie_below_a_base_path(visitor, tmp_path):
    """Scripts, networks and the preview's picture are then found there, too."""
    with serve(tmp_path, with_trainer=False, base="/digits") as server:
        page = visitor()
        with page.expect_response(re.compile("/digits/live/weights/judge")):
            actions.open_page(page, f"{server.url}/")
        actions.draw(page, actions.SEVEN)
        actions.expect_answer(page, "7")
        page.wait_for_function("window.digitsReads")
        page.get_by_role("navigation").get_by_role("link", name="Models").click()
        expect(page).to_have_url(re.compile("/digits/models"))
        expect(page).to_have_title(re.compile("Models"))
        picture = page.locator('meta[property="og:image"]').get_attribute("content")
        assert picture == f"{server.url}/card.png"
        assert page.request.get(picture).ok
        page.goto("about:blank")  # before the server ends
        assert not server.new_faults()
