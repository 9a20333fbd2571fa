"""The conversation that a prompt begins: system prompt, examples, turns, placeholders, images."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from lambdallm import Prompt
from lambdallm.core.exceptions import PromptError
from lambdallm.core.prompts import Example
from lambdallm.llm.types import ChatMessage, DocumentPart, ImagePart, TextPart

CAT = ImagePart(url="https://example.com/cat.png")
DOG = ImagePart(data=b"dog", media_type="image/png")


@dataclass
class Review:
    """What somebody thinks."""

    stars: int
    why: str = ""


def said(prompt, **values):
    """The conversation as pairs."""
    return [(message.role, message.content) for message in prompt.messages(values)]


class TestTurns:
    def test_a_template_is_the_users(self):
        assert said(Prompt("Hello {name}"), name="Ada") == [("user", "Hello Ada")]

    def test_the_system_prompt_comes_first_and_is_a_template_too(self):
        prompt = Prompt("Hello {name}", system_prompt="Be {mood}")
        assert said(prompt, name="Ada", mood="kind") == [("system", "Be kind"), ("user", "Hello Ada")]
        assert prompt.variables == ["name", "mood"]

    def test_a_system_prompt_that_says_nothing_is_left_out(self):
        assert said(Prompt("Hello", system_prompt="{mood}"), mood="") == [("user", "Hello")]

    def test_messages_stand_before_the_template(self):
        prompt = Prompt(
            "And {it}?",
            messages=[
                {"role": "system", "content": "You know {topic}."},
                {"role": "user", "content": "Name a {topic}."},
                {"role": "assistant", "content": "{{Tiber}}"},
            ],
        )
        assert said(prompt, topic="river", it="Po") == [
            ("system", "You know river."),
            ("user", "Name a river."),
            ("assistant", "{Tiber}"),
            ("user", "And Po?"),
        ]

    def test_messages_need_no_template(self):
        prompt = Prompt(messages=[{"role": "user", "content": "Hello {name}"}])
        assert said(prompt, name="Ada") == [("user", "Hello Ada")]
        assert prompt.format(name="Ada") == "Hello Ada"

    def test_a_chat_message_says_what_it_says(self):
        assert said(Prompt("x", messages=[ChatMessage("user", "{a}")])) == [("user", "{a}"), ("user", "x")]

    @pytest.mark.parametrize(
        ("turn", "message"),
        [
            ({"role": "robot", "content": "x"}, "the role 'robot'. Use one of system, developer, user, assistant"),
            ({"role": "user"}, "is no message of a prompt"),
            ({"role": "user", "content": 3}, "is no message of a prompt"),
            ({"role": "user", "content": "x", "nmae": "y"}, "is no message of a prompt"),
            ("history", "'history' is no message"),
            ("{a} {b}", "is no message"),
            (3, "3 is no message"),
        ],
    )
    def test_what_is_no_turn_is_named_with_its_place(self, turn, message):
        with pytest.raises(PromptError, match=message) as caught:
            Prompt("x", messages=[{"role": "user", "content": "ok"}, turn])
        assert caught.value.data_path[:2] == ("messages", 1)

    @pytest.mark.parametrize("given", ["{history}", {"role": "user", "content": "x"}, ChatMessage("user", "x")])
    def test_messages_are_a_list(self, given):
        with pytest.raises(PromptError, match="is no message"):
            Prompt("x", messages=given)


class TestPlaceholders:
    PROMPT = Prompt("{question}", system_prompt="Be brief", messages=["{history}"])
    TURNS = (ChatMessage("user", "Hi {you}"), ChatMessage("assistant", "Hello"))

    def test_a_conversation_is_put_in_its_place(self):
        assert said(self.PROMPT, question="Why?", history=self.TURNS) == [
            ("system", "Be brief"),
            ("user", "Hi {you}"),
            ("assistant", "Hello"),
            ("user", "Why?"),
        ]
        assert self.PROMPT.placeholders == ("history",)

    @pytest.mark.parametrize("history", [None, (), []])
    def test_a_first_turn_has_none(self, history):
        expected = [("system", "Be brief"), ("user", "Why?")]
        assert said(self.PROMPT, question="Why?") == said(self.PROMPT, question="Why?", history=history) == expected

    @pytest.mark.parametrize(
        "history",
        [
            SimpleNamespace(messages=TURNS),
            [{"role": "user", "content": "Hi {you}"}, {"role": "assistant", "content": "Hello"}],
        ],
    )
    def test_sessions_and_dictionaries_are_conversations(self, history):
        assert said(self.PROMPT, question="Why?", history=history)[1:3] == [
            ("user", "Hi {you}"),
            ("assistant", "Hello"),
        ]

    @pytest.mark.parametrize("history", [3, [3], object()])
    def test_what_is_none_is_named(self, history):
        with pytest.raises(PromptError, match=r"'history' is .*, no conversation"):
            self.PROMPT.messages({"question": "Why?", "history": history})

    def test_yaml_may_leave_out_the_quotes(self):
        assert Prompt("x", messages=[{"history": None}]).placeholders == ("history",)

    @pytest.mark.parametrize("turns", [["{a}", {"role": "user", "content": "{a}"}], ["{a}", "{a}"]])
    def test_has_a_name_of_its_own(self, turns):
        with pytest.raises(PromptError, match="'a' as the place of a conversation, and elsewhere too"):
            Prompt("x", messages=turns)


class TestHistory:
    """What was said before, as a handler's session gives it."""

    SAID = (ChatMessage("user", "Hi"), ChatMessage("assistant", "Hello"))

    def test_stands_before_the_question_and_after_all_else(self):
        prompt = Prompt("{q}", system_prompt="Be brief", examples=[("a", "b")])
        contents = [message.content for message in prompt.messages({"q": "Why?"}, self.SAID)]
        assert contents == ["Be brief", "a", "b", "Hi", "Hello", "Why?"]

    def test_fills_a_placeholder(self):
        prompt = Prompt("{q}", messages=["{before}", {"role": "user", "content": "Now:"}])
        assert [message.content for message in prompt.messages({"q": "Why?"}, self.SAID)] == [
            "Hi",
            "Hello",
            "Now:",
            "Why?",
        ]

    def test_leaves_a_placeholder_that_is_filled(self):
        prompt = Prompt("{q}", messages=["{before}"])
        contents = [message.content for message in prompt.messages({"q": "Why?", "before": "Hey"}, self.SAID)]
        assert contents == ["Hey", "Hi", "Hello", "Why?"]

    def test_of_a_prompt_that_begins_an_answer_stands_before_the_question(self):
        prompt = Prompt(messages=[{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "Because"}])
        assert [message.content for message in prompt.messages({}, self.SAID)] == ["Hi", "Hello", "Why?", "Because"]


class TestExamples:
    PROMPT = Prompt(
        "Rate: {text}",
        {"text": str, "stars": int},
        system_prompt="From 1 to {stars}",
        defaults={"stars": 5},
        examples=[("I love it", "5"), ({"text": "Broken"}, "1"), {"input": "So so", "output": "3"}],
    )

    def test_are_turns_before_the_question(self):
        assert said(self.PROMPT, text="Fine") == [
            ("system", "From 1 to 5"),
            ("user", "Rate: I love it"), ("assistant", "5"),
            ("user", "Rate: Broken"), ("assistant", "1"),
            ("user", "Rate: So so"), ("assistant", "3"),
            ("user", "Rate: Fine"),
        ]  # fmt: skip

    def test_stand_behind_system_turns_and_before_the_conversation(self):
        prompt = Prompt(
            "{q}",
            messages=[{"role": "developer", "content": "Rules"}, "{history}"],
            examples=[("a", "b")],
        )
        roles = [role for role, _ in said(prompt, q="c", history=[ChatMessage("user", "before")])]
        assert roles == ["developer", "user", "assistant", "user", "user"]

    @pytest.mark.parametrize("output", [{"stars": 5, "why": "é"}, Review(5, "é")])
    def test_answers_of_a_shape_are_shown_as_json(self, output):
        prompt = Prompt("{text}", output_schema=Review, examples=[("I love it", output)])
        assert said(prompt, text="x")[1] == ("assistant", '{"stars": 5, "why": "é"}')

    def test_an_answer_that_is_no_object_is_wrapped_as_the_model_is_asked_to(self):
        prompt = Prompt("{text}", output_schema=list[int], examples=[("one, two", [1, 2])])
        assert said(prompt, text="x")[1] == ("assistant", '{"value": [1, 2]}')

    def test_messages_are_shown_as_they_are(self):
        prompt = Prompt("{q}", examples=[{"role": "user", "content": "{a}"}, ChatMessage("assistant", "{b}")])
        assert said(prompt, q="c") == [("user", "{a}"), ("assistant", "{b}"), ("user", "c")]

    def test_an_example_may_have_an_image(self):
        prompt = Prompt("What is {picture}?", examples=[(CAT, "A cat")])
        assert said(prompt, picture=DOG)[0] == ("user", (TextPart("What is "), CAT, TextPart("?")))

    @pytest.mark.parametrize(
        ("example", "message", "path"),
        [
            (({"txet": "a"}, "1"), "in an example, needs 'text'.*no variable 'txet'.*Did you mean 'text'", ()),
            (({"text": 3}, "1"), "'text' is 3.*type str", ("input", "text")),
            (({"text": "a"}, 1), "The output of an example is 1", ("output",)),
            ((1, 2, 3), "is no example", ()),
            ({"in": 1, "out": 2}, "is no example", ()),
            ("a", "is no example", ()),
        ],
    )
    def test_what_does_not_fit_is_named_with_its_place(self, example, message, path):
        with pytest.raises(PromptError, match=message) as caught:
            Prompt("{text}", {"text": str}, examples=[("ok", "1"), example])
        assert caught.value.data_path == ("examples", 1, *path)

    @pytest.mark.parametrize(
        ("output", "message"),
        [({"stars": "5"}, r"\$\.stars: expected integer"), ("5", "expected object"), (object, "does not fit")],
    )
    def test_an_answer_that_is_not_of_the_shape_is_refused(self, output, message):
        with pytest.raises(PromptError, match=message) as caught:
            Prompt("{text}", output_schema=Review, examples=[("a", output)])
        assert caught.value.data_path == ("examples", 0, "output")

    def test_a_value_stands_for_the_only_variable_alone(self):
        with pytest.raises(PromptError, match=r"The input of an example is 'x'\. Name its variables"):
            Prompt("{a} {b}", examples=[("x", "y")])

    def test_are_values(self):
        (example, *_) = self.PROMPT.examples
        assert example == Example({"text": "I love it"}, "5")


class TestMedia:
    def test_an_image_stands_where_its_variable_does(self):
        prompt = Prompt("Look: {picture} What is {it}?", {"picture": ImagePart, "it": str}, system_prompt="Be brief")
        assert said(prompt, picture=CAT, it="this") == [
            ("system", "Be brief"),
            ("user", (TextPart("Look: "), CAT, TextPart(" What is this?"))),
        ]

    def test_several_stand_behind_one_another(self):
        assert said(Prompt("{pictures}\n"), pictures=[CAT, DOG]) == [("user", (CAT, DOG))]

    def test_documents_and_fields_of_values_too(self):
        paper = DocumentPart(text="words")
        assert said(Prompt("{it.paper}"), it={"paper": paper}) == [("user", (paper,))]

    def test_no_system_prompt_has_an_image(self):
        with pytest.raises(PromptError, match="'picture' is an image"):
            Prompt("x", system_prompt="{picture}").messages({"picture": CAT})

    def test_in_a_list_of_other_things_it_is_no_image(self):
        with pytest.raises(PromptError, match="'it'"):
            Prompt("{it}").messages({"it": [DOG, 1]})
