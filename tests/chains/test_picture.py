from lambdallm.chains import Chain, Map, Parallel, Step

INNER = Chain("review", [Step("grade", "x"), Step("fix", "y", condition=lambda grade: True)])


def test_a_chain_is_drawn_from_top_to_bottom():
    chain = Chain("report", [
        Step("facts", "F {text}"),
        Step("clean", func=lambda facts: facts, condition=lambda facts: True),
        Parallel("both", [Step("pros", "P"), Step("cons", "C")]),
        Map(Step("checks", "{item}"), over="{facts.output}"),
        INNER,
    ])  # fmt: skip
    assert (
        chain.to_mermaid()
        == """\
flowchart TD
    start(["report"])
    n1["facts"]
    start --> n1
    n2("clean")
    n1 -.->|if| n2
    subgraph n3["both (side by side)"]
        n4["pros"]
        n5["cons"]
    end
    n2 --> n3
    subgraph n6["checks, for each of facts.output"]
        n7["checks"]
    end
    n3 --> n6
    subgraph n8["review (chain)"]
        n9["grade"]
        n10["fix"]
        n9 -.->|if| n10
    end
    n6 --> n8
    finish(["end"])
    n8 --> finish
"""
    )


def test_names_that_are_words_of_the_language_or_marks_in_it_do_no_harm():
    chain = Chain("end", [Step("end", "x"), Step("graph", "y"), Map(Step("class", "z"), over=["<b>", '"'])])
    assert '["end"]' in chain.to_mermaid()
    assert 'n3["class, for each of 2 items"]' in chain.to_mermaid()
