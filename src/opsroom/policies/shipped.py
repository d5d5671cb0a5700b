"""The policies that hold where a manifest cites none."""

from functools import cache

from .model import PolicySpec

NAME = "shipped"
CEDAR = """
@id("covered")
@reason("the agent's contract covers it")
permit (principal, action in Action::"tier:any", resource);

@id("link-not-reached")
@verdict("escalate")
@reason("it opens a link that the user's words do not lead to")
forbid (principal, action in Action::"tier:any", resource)
when { !context.facts.argument_link_reached };

@id("untrusted-target")
@verdict("escalate")
@reason("whom or what it reaches was picked by text that anybody may have written")
forbid (principal, action in Action::"tier:any", resource)
when { !context.facts.reads_only && context.facts.grounded_by == "untrusted" };

@id("made-up-target")
@verdict("escalate")
@reason("whom or what it reaches stands nowhere; the model made it up")
forbid (principal, action in Action::"tier:any", resource)
when { !context.facts.reads_only && context.facts.argument_made_up };

@id("another-was-named")
@verdict("escalate")
@reason("the user's words name another one")
forbid (principal, action in Action::"tier:any", resource)
when { !context.facts.reads_only && context.facts.grounded_other_named };

@id("secret-not-said")
@verdict("escalate")
@reason("it sets a secret that the user did not say")
forbid (principal, action in Action::"tier:any", resource)
when { !context.facts.reads_only && !context.facts.argument_secret_said };

@id("tainted-and-not-asked")
@verdict("escalate")
@reason("the turn has read text that anybody may have written, and the user did not ask for this")
forbid (principal, action in Action::"tier:any", resource)
when { !context.facts.reads_only && context.facts.tainted && !context.facts.grounded_asked };

@id("tainted-and-not-from-the-user")
@verdict("escalate")
@reason("the turn has read text that anybody may have written, and nothing in this comes from the user")
forbid (principal, action in Action::"tier:any", resource)
when {
  !context.facts.reads_only && context.facts.tainted &&
  (!context.facts.grounded_anchored || context.facts.grounded_by == "model")
};

@id("tainted-and-copied")
@verdict("escalate")
@reason("it passes on a name or a link out of text that anybody may have written")
forbid (principal, action in Action::"tier:any", resource)
when {
  !context.facts.reads_only && context.facts.tainted &&
  (context.facts.argument_copied || context.facts.taint_link)
};

@id("disguised")
@verdict("escalate")
@reason("it holds text that does not read as it looks: hidden, reversed, or of two scripts in a word")
forbid (principal, action in Action::"tier:any", resource)
when {
  !context.facts.reads_only &&
  context.facts.argument_notes.containsAny(["hidden", "bidi", "mixed_script"])
};

@id("credential")
@verdict("escalate")
@reason("it touches what people and programs prove themselves with, and the user did not ask for it")
forbid (principal, action in Action::"tier:credential", resource)
when { !context.facts.grounded_asked };

@id("runaway")
@verdict("escalate")
@reason("the agent has made this very call several times in this turn")
forbid (principal, action in Action::"tier:any", resource)
when { !context.facts.reads_only && context.facts.same_calls_in_turn >= 3 };
""".strip()


@cache
def shipped() -> PolicySpec:
    """The default policies: general, generated from nothing but contracts and facts."""
    return PolicySpec(cedar=CEDAR, description="what holds where a manifest cites no policy")
