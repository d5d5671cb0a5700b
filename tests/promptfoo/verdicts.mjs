// Asks promptfoo itself: one case a line in, one verdict a line out.
import { createInterface } from "node:readline";

const { assertions } = (await import(process.argv[2])).default;

for await (const line of createInterface({ input: process.stdin })) {
  const one = JSON.parse(line);
  const response = { output: one.output };
  if (one.cost !== undefined) response.cost = one.cost;
  if (one.finish !== undefined) response.finishReason = one.finish;
  let said;
  try {
    const found = await assertions.runAssertions({
      provider: { id: () => "openai:chat:none", config: { tools: one.tools, functions: one.functions } },
      latencyMs: one.latency,
      providerResponse: response,
      test: { vars: {}, assert: one.assert, threshold: one.threshold },
    });
    said = { pass: found.pass, score: found.score, named: found.namedScores };
  } catch (error) {
    said = { error: String(error.message).slice(0, 200) };
  }
  process.stdout.write(JSON.stringify(said) + "\n");
}
