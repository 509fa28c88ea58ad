"""The service desk: tau-bench's customers, our tools, and a reward by the state that is left behind."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamina.agents.environments import open_environment
from lamina.agents.environments.environment import RefusedCallError
from lamina.agents.environments.service_desk import ServiceDesk
from lamina.agents.environments.worlds import airline, retail
from lamina.agents.environments.worlds.airline import Airline
from lamina.agents.environments.worlds.arithmetic import calculate
from lamina.agents.environments.worlds.customer import AGREES, SILENT, STOP, Scripted, spoken
from lamina.agents.environments.worlds.records import Records
from lamina.agents.environments.worlds.retail import Retail
from lamina.agents.learning import LearnSettings, Ledger, Roles, learn, split_tasks
from lamina.agents.policies import at_random, oracle, play
from lamina.errors import InputError
from lamina.models import open_model
from lamina.runs import RecordStore
from lamina.tools.tool import Toolbox
from lamina.trajectories import ToolCall

SHARED = Path(__file__).parents[3] / "shared" / "data"
needs_data = pytest.mark.skipif(
    not (SHARED / "tau2-bench").is_dir(), reason="tau2-bench is not in a shared folder beside this checkout"
)
UNJUDGED = {"accept": False, "keep_best": False, "held": 0}
"""What few held-out tasks say of twenty actions would keep a version that has not met all of them."""
UNTOUCHED = {"retail-105"}
"""The data's right calls cost more than the gift card they name holds: nothing is to be changed."""


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> ServiceDesk:
    monkeypatch.setenv("LAMINA_DATA", str(SHARED))
    found = open_environment("service-desk")
    assert isinstance(found, ServiceDesk)
    return found


@needs_data
def test_the_oracle_gets_the_whole_reward_of_every_task(desk: ServiceDesk):
    assert len(desk.tasks()) == 79
    assert {play(desk, task, oracle(desk, task))[0] for task in desk.tasks()} == {1.0}


@needs_data
def test_an_agent_at_random_gets_nothing_where_something_is_to_be_done(desk: ServiceDesk):
    played: dict[bool, list[float]] = {True: [], False: []}
    for task in desk.tasks():
        idle = task.group.endswith("nothing to change") or task.id in UNTOUCHED
        reward, _ = play(desk, task, at_random(desk, task, random.Random(task.id)))
        played[idle].append(reward or 0.0)
    assert fmean(played[False]) < 0.02
    assert len(played[True]) == 12, "there doing nothing is right"


@needs_data
def test_all_right_calls_fit_the_schemas_and_those_that_are_refused_are_known(desk: ServiceDesk):
    refused = set()
    for task in desk.tasks():
        for call in desk.solution(task):
            assert desk.toolbox[call.name].problems(call.arguments) == []
        refused |= {task.id for said in desk.refused_gold(task) if not said.startswith(("get", "find"))}
    assert refused == {"retail-64", "retail-105"}


@needs_data
def test_an_episode_leaves_nothing_for_the_next(desk: ServiceDesk):
    task = next(t for t in desk.tasks() if t.group == "retail cancel_pending_order")
    other = desk.copy()
    play(desk, task, oracle(desk, task))
    other.reset(task)
    assert other.reward() == 0.0
    cancel = next(call for call in desk.solution(task) if call.name == "cancel_pending_order")
    assert not other.step(cancel).failed
    assert other.step(cancel).failed, "cancelled once"


@needs_data
def test_what_has_to_be_told_has_to_be_told(desk: ServiceDesk):
    task = next(t for t in desk.tasks() if t.data["outputs"])
    silent = [call for call in desk.solution(task) if call.name != "respond"]
    desk.reset(task)
    for call in silent:
        desk.step(call)
    assert desk.reward() == 0.0


@needs_data
def test_the_agent_sees_the_policy_the_request_and_the_tools_of_its_desk_alone(desk: ServiceDesk):
    task = next(t for t in desk.tasks() if t.group.startswith("airline"))
    shown = desk.reset(task)
    assert "# Airline Agent Policy" in shown
    assert shown.endswith(task.request)
    assert "book_reservation" in desk.toolbox
    assert "cancel_pending_order" not in desk.toolbox
    assert desk.step(ToolCall.of("cancel_pending_order", {"order_id": "#W1", "reason": "x"})).failed
    assert {"book_reservation", "cancel_pending_order"} <= set(desk.copy().toolbox.names)


@needs_data
def test_the_airlines_tools_refuse_and_look_up_what_tau_benchs_own_do(desk: ServiceDesk):
    """119 calls of recorded trajectories, whose results tau-bench's own tools wrote."""
    task = next(t for t in desk.tasks() if t.group.startswith("airline"))
    tools, calls = Toolbox(airline.tools()), 0
    recorded = json.loads((SHARED / "tau2-bench/airline/tau1_gpt-4o_trajectories_trial0.json").read_text())
    for row in recorded:
        desk.reset(task)
        own = desk._desk
        for at, message in enumerate(row["traj"]):
            for call in message.get("tool_calls") or ():
                name, arguments = call["function"]["name"], json.loads(call["function"]["arguments"])
                if name not in tools:
                    continue
                theirs = row["traj"][at + 1]["content"]
                try:
                    found, ok = getattr(own, name)(**arguments), True
                except RefusedCallError:
                    found, ok = None, False
                assert ok == (not theirs.startswith("Error")), (row["task_id"], name, arguments, theirs)
                if name == "get_reservation_details":
                    assert found == json.loads(theirs)
                calls += 1
    assert calls == 119


@needs_data
@pytest.mark.parametrize("rpo", ["batch", "traj"])
@pytest.mark.parametrize("reward", ["env", "self"])
def test_the_optimum_is_reached(teach, monkeypatch, reward: str, rpo: str):
    monkeypatch.setenv("LAMINA_DATA", str(SHARED))
    monkeypatch.setenv("LAMINA_WORLD", "service-desk:retail")
    settings = LearnSettings(rpo=rpo, reward=reward, iterations=3, batch=16, test=5, **UNJUDGED)
    learned, _ = teach(open_environment("service-desk:retail"), settings)
    assert fmean(learned.first) < 0.5
    assert learned.last == [1.0] * 5


def test_without_its_data_it_says_where_it_looked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    with pytest.raises(InputError, match="LAMINA_DATA"):
        open_environment("service-desk")
    for argument, said in (("bank", "retail, airline"), ("data=/nowhere", "no such folder"), ("x=1", "data")):
        with pytest.raises(InputError, match=said):
            open_environment(f"service-desk:{argument}")


def test_the_scripted_customer_says_what_it_knows_and_agrees_when_asked():
    scenario = {
        "reason_for_call": "You want to cancel your order.",
        "known_info": "You are Ada in 1234.",
        "task_instructions": "You don't care which.",
    }
    customer = Scripted()
    said = [("customer", customer.opening(scenario))]
    for asked, answered in (
        ("What is your name?", "I am Ada in 1234."),
        ("Which of the two do you mean?", "I don't care which."),
        ("I will cancel #W1, do you confirm?", AGREES),
        ("Which colour?", SILENT),
    ):
        said.append(("agent", asked))
        said.append(("customer", customer.answer(scenario, said)))
        assert said[-1][1] == answered
    assert said[0][1] == "I want to cancel my order."


@needs_data
def test_a_customer_played_by_a_model_ends_the_conversation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    script = tmp_path / "customer.py"
    script.write_text(
        "def reply(messages, tools, seed):\n"
        "    assert 'You play a customer' in messages[0]['content']\n"
        f"    return 'Cancel it.' if len(messages) < 3 else 'Thanks. {STOP}'\n"
    )
    monkeypatch.setenv("LAMINA_DATA", str(SHARED))
    desk = open_environment(f"service-desk:retail,user=scripted:{script}")
    assert desk.reset(desk.tasks()[0]).endswith("Cancel it.")
    step = desk.step(ToolCall.of("respond", {"message": "Done."}))
    assert (step.observation, step.done) == ("Thanks.", True)


@needs_data
def test_the_calls_of_a_played_customer_are_in_the_ledger(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    customer, agent = tmp_path / "customer.py", tmp_path / "agent.py"
    customer.write_text("def reply(messages, tools, seed):\n    return f'Well, {len(messages)}.'\n")
    answer = 'Action: {"name": "respond", "arguments": {"message": "Yes?"}}'
    agent.write_text(f"def reply(messages, tools, seed):\n    return {answer!r}\n")
    monkeypatch.setenv("LAMINA_DATA", str(SHARED))
    desk = open_environment(f"service-desk:retail,user=scripted:{customer}")
    model = open_model(f"scripted:{agent}")
    with RecordStore(tmp_path / "records.sqlite") as store:
        ledger = Ledger(store)
        alone = LearnSettings(iterations=0, test=2, held=0, turns=3)
        learn(desk, split_tasks(desk.tasks(), held=0, test=2), Roles(model, model, model), alone, ledger, store)
    assert ledger.cost["customer"].calls == 2 * (1 + 3), "the opening and three answers of two tasks"


def test_instructions_are_said_in_the_first_person():
    said = spoken("You are Ada. If it's yours, say you're glad; it is for you. If they tell you, you go.")
    assert said == "I am Ada. If it's mine, say I'm glad; it is for me. If they tell me, I go."


def shop() -> Retail:
    """One user with a gift card, a pending and a delivered order of one mug."""
    mugs = {
        "11": {"item_id": "11", "options": {"colour": "red"}, "available": True, "price": 10.0},
        "12": {"item_id": "12", "options": {"colour": "blue"}, "available": True, "price": 15.0},
        "13": {"item_id": "13", "options": {"colour": "grey"}, "available": False, "price": 9.0},
        "14": {"item_id": "14", "options": {"colour": "gold"}, "available": True, "price": 90.0},
    }
    methods = {
        "gift_card_1": {"source": "gift_card", "id": "gift_card_1", "balance": 20.0},
        "paypal_1": {"source": "paypal", "id": "paypal_1"},
        "paypal_2": {"source": "paypal", "id": "paypal_2"},
    }

    def order(number: str, status: str) -> dict[str, object]:
        item = {"name": "Mug", "product_id": "1", "item_id": "11", "price": 10.0, "options": {"colour": "red"}}
        paid = {"transaction_type": "payment", "amount": 10.0, "payment_method_id": "paypal_1"}
        about = {"order_id": number, "user_id": "ada", "address": {}, "fulfillments": []}
        return {**about, "items": [item], "status": status, "payment_history": [paid]}

    return Retail(
        Records(
            {
                "products": {"1": {"name": "Mug", "product_id": "1", "variants": mugs}},
                "users": {"ada": {"user_id": "ada", "payment_methods": methods, "orders": ["#W1", "#W2"]}},
                "orders": {"#W1": order("#W1", "pending"), "#W2": order("#W2", "delivered")},
            }
        )
    )


def test_the_price_difference_of_an_exchanged_item_is_booked():
    desk = shop()
    order = desk.modify_pending_order_items("#W1", ["11"], ["12"], "gift_card_1")
    assert order["status"] == "pending (item modified)"
    assert order["items"][0]["options"] == {"colour": "blue"}
    assert order["payment_history"][-1] == {
        "transaction_type": "payment",
        "amount": 5.0,
        "payment_method_id": "gift_card_1",
    }
    assert desk.get_user_details("ada")["payment_methods"]["gift_card_1"]["balance"] == 15.0
    with pytest.raises(RefusedCallError, match="not pending"):
        desk.cancel_pending_order("#W1", "no longer needed")


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [("modify_pending_order_items", ("#W1", ["11"], ["13"], "paypal_1"), "no available"),
     ("modify_pending_order_items", ("#W1", ["11", "11"], ["12", "12"], "paypal_1"), "does not hold 11"),
     ("modify_pending_order_items", ("#W1", ["11"], ["12", "12"], "paypal_1"), "one for one"),
     ("modify_pending_order_items", ("#W1", ["11"], ["14"], "gift_card_1"), "balance"),
     ("modify_pending_order_items", ("#W2", ["11"], ["12"], "paypal_1"), "not pending"),
     ("exchange_delivered_order_items", ("#W1", ["11"], ["12"], "paypal_1"), "not delivered"),
     ("return_delivered_order_items", ("#W2", ["11"], "paypal_2"), "paypal_1 or to a gift card"),
     ("return_delivered_order_items", ("#W2", ["11"], "paypal_9"), "no payment method"),
     ("modify_pending_order_payment", ("#W1", "paypal_1"), "already"),
     ("get_order_details", ("#W9",), "not found")],
)  # fmt: skip
def test_a_refused_call_says_why_and_changes_nothing(tool: str, arguments: tuple[object, ...], said: str):
    desk = shop()
    before = desk.records.state()
    with pytest.raises(RefusedCallError, match=said):
        getattr(desk, tool)(*arguments)
    assert desk.records.state() == before


def test_the_state_is_that_of_the_records_however_they_came_about():
    desk, other = shop(), shop()
    untouched = desk.records.state()
    desk.records.change("users", "ada")
    assert desk.records.state() == untouched, "a copy that is as before is no change"
    desk.return_delivered_order_items("#W2", ["11"], "gift_card_1")
    desk.modify_pending_order_payment("#W1", "paypal_2")
    other.modify_pending_order_payment("#W1", "paypal_2")
    assert other.records.state() != desk.records.state()
    other.return_delivered_order_items("#W2", ["11"], "gift_card_1")
    assert other.records.state() == desk.records.state() != untouched


def test_every_tool_of_a_desk_is_there():
    assert {tool.name for tool in retail.tools()} <= set(dir(Retail))
    assert {tool.name for tool in airline.tools()} <= set(dir(Airline))


@pytest.mark.parametrize(
    ("text", "value"), [("2 * ((350 - 122) + (499 - 127))", 1200.0), ("10 / 4", 2.5), ("-3", -3.0)]
)
def test_sums_are_calculated(text: str, value: float):
    assert calculate(text) == value


@pytest.mark.parametrize("text", ["__import__('os')", "2 ** 999999999", "1/0", "a", "", "(" * 400, "1e308*1e308*10//1"])
def test_what_is_no_sum_is_refused(text: str):
    with pytest.raises(ValueError, match=r"sum|number|long"):
        calculate(text)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=60))
def test_a_calculator_never_crashes(text: str):
    with contextlib.suppress(ValueError):
        calculate(text)
