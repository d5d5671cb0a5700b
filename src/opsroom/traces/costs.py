"""What a model call costs, as ClickHouse works it out: tokens times the rates of its day.

The rates stand in a table of ours, one row for each model that was seen and each day its price
changed; `opsroom.models.rates` knows them. The tier is chosen by all input tokens. A provider
that counts cached tokens beside the input and not within it is understood as well.
"""

_WITHIN = "s.cache_read_tokens + s.cache_write_tokens <= s.input_tokens"
_FRESH = f"if({_WITHIN}, s.input_tokens - s.cache_read_tokens - s.cache_write_tokens, s.input_tokens)"
_ALL = f"if({_WITHIN}, s.input_tokens, s.input_tokens + s.cache_read_tokens + s.cache_write_tokens)"
_TIER = f"p.rates[arrayCount(x -> {_ALL} > x, p.above) + 1]"
_THOUGHT = "least(s.reasoning_tokens, s.output_tokens)"
# How many of each, in the order of `opsroom.models.rates.Rates`: input, cache read, cache write,
# output, reasoning, request. Where there is no price, there is no tier.
_COUNTS = f"""[toUInt32({_FRESH}), s.cache_read_tokens, s.cache_write_tokens,
        toUInt32(s.output_tokens - {_THOUGHT}), {_THOUGHT}, 1]"""
_SUM = f"arraySum((rate, count) -> rate * count, arrayResize({_TIER}, 6), {_COUNTS})"
_COUNTED = "s.input_tokens + s.output_tokens + s.cache_read_tokens > 0"
COST_COLUMNS = f"""
    if(s.calls_model AND {_COUNTED} AND length(p.rates) > 0, {_SUM}, NULL) AS cost,
    multiIf(NOT s.calls_model, '', s.model = '', 'the span does not say which model served it',
        NOT ({_COUNTED}), 'the span does not say how many tokens it took', p.basis) AS basis"""
PRICE_JOIN = """
ASOF LEFT JOIN (SELECT project, provider, model, since, above, rates, basis FROM prices FINAL) AS p
ON s.project = p.project AND s.provider = p.provider AND s.model = p.model AND s.start >= p.since"""
