"""What others call the things that we call by one name: one table, with a version.

It takes in the GenAI semantic conventions of OpenTelemetry, old names and new, OpenInference,
OpenLLMetry, and the frameworks that have words of their own. The first name of a row that a
span carries wins. An attribute of the span goes before one of its resource, and whatever is
not listed is kept as it came.

Whoever adds a name raises `VERSION`; spans that are stored already keep the reading they got.
"""

from collections.abc import Mapping
from typing import Final

VERSION: Final = 2

ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "operation": (
        "gen_ai.operation.name",
        "openinference.span.kind",
        "llm.request.type",
        "traceloop.span.kind",
        "langfuse.observation.type",
        "langsmith.span.kind",
        "ai.operationId",
        "mlflow.spanType",
    ),
    "provider": (
        "gen_ai.provider.name",
        "gen_ai.system",
        "llm.provider",
        "llm.system",
        "decision.provider",
        "ai.model.provider",
        "llm.vendor",
        "langsmith.metadata.ls_provider",
    ),
    "requested_model": (
        "gen_ai.request.model",
        "llm.request.model_name",
        "llm.request.model",
        "decision.request.model_name",
        "ai.model.id",
        "model_name",
        "langsmith.metadata.ls_model_name",
        "langfuse.observation.model.name",
    ),
    "served_model": (
        "gen_ai.response.model",
        "llm.response.model_name",
        "llm.model_name",
        "llm.response.model",
        "decision.response.model_name",
        "decision.model_name",
        "ai.response.model",
        "embedding.model_name",
        "reranker.model_name",
    ),
    "input_tokens": (
        "gen_ai.usage.input_tokens",
        "gen_ai.usage.prompt_tokens",
        "llm.token_count.prompt",
        "llm.usage.prompt_tokens",
        "decision.token_count.input",
        "ai.usage.inputTokens",
        "ai.usage.promptTokens",
        "ai.usage.tokens",
    ),
    "output_tokens": (
        "gen_ai.usage.output_tokens",
        "gen_ai.usage.completion_tokens",
        "llm.token_count.completion",
        "llm.usage.completion_tokens",
        "decision.token_count.output",
        "ai.usage.outputTokens",
        "ai.usage.completionTokens",
    ),
    "cache_read_tokens": (
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "llm.token_count.prompt_details.cache_read",
        "llm.usage.cache_read_input_tokens",
        "ai.usage.cachedInputTokens",
    ),
    "cache_write_tokens": (
        "gen_ai.usage.cache_write.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
        "llm.token_count.prompt_details.cache_write",
        "llm.usage.cache_creation_input_tokens",
    ),
    "reasoning_tokens": (
        "gen_ai.usage.reasoning.output_tokens",
        "gen_ai.usage.reasoning_tokens",
        "gen_ai.usage.details.reasoning_tokens",
        "llm.token_count.completion_details.reasoning",
        "llm.usage.reasoning_tokens",
        "ai.usage.reasoningTokens",
    ),
    "tool": (
        "gen_ai.tool.name",
        "tool.name",
        "ai.toolCall.name",
        "mcp.tool.name",
        "traceloop.entity.tool",
    ),
    "agent": (
        "opsroom.agent",
        "gen_ai.agent.name",
        "agent.name",
        "agent_name",
        "traceloop.agent.name",
        "ai.telemetry.functionId",
    ),
    "version": ("opsroom.agent.version", "gen_ai.agent.version", "langfuse.version"),
    "manifest": ("opsroom.manifest.digest",),
    "release": ("opsroom.release.id", "langfuse.release"),
    "arm": ("opsroom.release.arm", "opsroom.arm"),
    "turn": ("opsroom.turn.id",),
    "action": ("opsroom.action.id",),
    "session": (
        "opsroom.session.id",
        "gen_ai.conversation.id",
        "session.id",
        "langfuse.session.id",
        "gcp.vertex.agent.session_id",
        "langsmith.trace.session_id",
        "langsmith.metadata.session_id",
        "traceloop.association.properties.session_id",
        "mcp.session.id",
        "thread.id.conversation",
    ),
    "user": (
        "user.id",
        "enduser.id",
        "langfuse.user.id",
        "traceloop.association.properties.user_id",
        "gen_ai.openai.request.user",
        "ai.telemetry.metadata.userId",
    ),
    "prompt": (
        "gen_ai.prompt.name",
        "opsroom.prompt.name",
        "traceloop.prompt.key",
        "langfuse.observation.prompt.name",
        "prompt.id",
    ),
    "prompt_version": (
        "gen_ai.prompt.version",
        "opsroom.prompt.version",
        "traceloop.prompt.version",
        "langfuse.observation.prompt.version",
        "llm.prompt_template.version",
    ),
    "error_type": ("error.type", "exception.type"),
    "environment": (
        "deployment.environment.name",
        "deployment.environment",
        "langfuse.environment",
    ),
    "confidence": ("opsroom.decision.confidence", "opsroom.confidence"),
    "verdict": ("opsroom.policy.verdict",),
    "service": ("service.name", "openinference.project.name"),
}

# What kind of step a span is, in the words of the GenAI conventions. Keys are lower case.
OPERATIONS: Final[Mapping[str, str]] = {
    "llm": "chat",
    "generation": "chat",
    "chat_model": "chat",
    "completion": "text_completion",
    "decision": "decide",
    "embedding": "embeddings",
    "tool": "execute_tool",
    "agent": "invoke_agent",
    "chain": "invoke_workflow",
    "workflow": "invoke_workflow",
    "task": "invoke_workflow",
    "span": "",
    "event": "",
    "unknown": "",
    "parser": "",
    "retriever": "retrieval",
    "reranker": "rerank",
    "evaluator": "evaluation",
    "ai.generatetext": "invoke_agent",
    "ai.streamtext": "invoke_agent",
    "ai.generateobject": "invoke_agent",
    "ai.streamobject": "invoke_agent",
    "ai.generatetext.dogenerate": "chat",
    "ai.streamtext.dostream": "chat",
    "ai.generateobject.dogenerate": "chat",
    "ai.streamobject.dostream": "chat",
    "ai.toolcall": "execute_tool",
    "ai.embed": "invoke_workflow",
    "ai.embedmany": "invoke_workflow",
    "ai.embed.doembed": "embeddings",
    "ai.embedmany.doembed": "embeddings",
}

# Only these call a model: tokens and costs stand on them and on nothing around them, so that
# an agent that repeats what its calls used is not counted twice.
MODEL_OPERATIONS: Final = (
    "chat",
    "text_completion",
    "generate_content",
    "embeddings",
    "decide",
    "rerank",
)

# Names that frameworks give as provider, and whose models they are.
PROVIDERS: Final[Mapping[str, str]] = {
    "openai.responses": "openai",
    "openai.chat": "openai",
    "azure.ai.openai": "azure",
    "az.ai.openai": "azure",
    "az.ai.inference": "azure",
    "azure.ai.inference": "azure",
    "azure_openai": "azure",
    "aws.bedrock": "aws",
    "aws_bedrock": "aws",
    "bedrock": "aws",
    "gcp.gemini": "google",
    "gcp.gen_ai": "google",
    "gcp.vertex_ai": "google",
    "gcp.vertex.agent": "google",
    "vertex_ai": "google",
    "vertexai": "google",
    "google.generative-ai": "google",
    "google.vertex": "google",
    "anthropic.messages": "anthropic",
    "mistral_ai": "mistral",
    "mistralai": "mistral",
    "x_ai": "x-ai",
    "xai": "x-ai",
    "moonshot_ai": "moonshotai",
    "together_ai": "together",
}

# Attributes that hold what was said, shown or returned. Where a project does not capture
# contents these are dropped before anything is stored; everything else is kept.
CONTENT: Final = (
    (
        r"gen_ai\.(input\.messages|output\.messages|system_instructions|prompt|completion"
        r"|tool\.call\.(arguments|result)|tool\.definitions|retrieval\.(documents|query\.text)"
        r"|prompt\.variable\..*|(prompt|completion)\.[0-9]+\..*|evaluation\.explanation)"
    ),
    r"(input|output)\.value",
    r"llm\.(input_messages|output_messages|prompts|choices|tools)(\..*)?",
    r"llm\.(prompt_template\.(template|variables)|function_call)",
    r"llm\.(prompts|completions|invocation_parameters)",
    r"tool\.(parameters|json_schema)|tool_call\.function\.arguments",
    r"(retrieval|reranker)\.(input_|output_)?documents.*|reranker\.query",
    r"document\.(content|metadata)|embedding\.(text|vector|embeddings.*)",
    r"traceloop\.entity\.(input|output)",
    r"ai\.(prompt|response\.(text|object|toolCalls|reasoning)|toolCall\.(args|result))(\..*)?",
    r"ai\.(value|values|embedding|embeddings|schema)",
    r"(all_messages_events|final_result|tool_arguments|tool_response)",
    r"pydantic_ai\.all_messages|logfire\.msg",
    r"gcp\.vertex\.agent\.(llm_request|llm_response|tool_call_args|tool_response|data)",
    r"langfuse\.(observation|trace)\.(input|output)|mlflow\.span(Inputs|Outputs)",
    r"crew_(inputs|tasks|agents)|task_output|message\.content|content|body",
    r"exception\.(message|stacktrace)",
)


def known() -> dict[str, tuple[str, int]]:
    """Every foreign name: the name of ours it stands for, and its place in the row."""
    return {
        name: (ours, place)
        for ours, names in ALIASES.items()
        for place, name in enumerate(names)
    }
