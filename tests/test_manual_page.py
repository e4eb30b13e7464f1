"""Does the app show every page of the manual?"""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from pruneviz.ui.topics import topics
from tests.page import new_app, path_of, undrawn


def opened(**address: str) -> AppTest:
    app = new_app()
    app.switch_page(path_of("manual"))
    app.query_params.update(address)
    app.run()
    assert not app.exception
    assert not undrawn(app)
    return app


def test_every_topic_is_shown_and_stands_in_the_address() -> None:
    app = opened()
    for name, page in reversed(topics().items()):
        app.radio(key="manual-topic").set_value(name).run()
        assert not app.exception
        assert app.query_params["topic"] in (name, [name])  # as Streamlit has it
        shown = app.markdown[-1].value
        assert shown.startswith(page.partition("\n")[0])
        assert ".md)" not in shown


def test_a_link_opens_its_topic_and_an_unknown_one_the_first() -> None:
    assert opened(topic="statistics").radio(key="manual-topic").value == "statistics"
    assert opened(topic="nothing").radio(key="manual-topic").value == next(iter(topics()))
