// A campaign from its draft to its result, with a client that is generated from /openapi.json:
//
//   npm install openapi-fetch openapi-typescript typescript @types/node
//   npx openapi-typescript http://127.0.0.1:8080/openapi.json -o api.d.ts
//   npx tsc && CAMPAIGND_URL=http://127.0.0.1:8080 CAMPAIGND_TOKEN=... node guide.js
import createClient from "openapi-fetch";
import type { components, paths } from "./api.d.ts";

type Progress = components["schemas"]["CampaignProgress"];
type Status = components["schemas"]["Status"];

const client = createClient<paths>({
  baseUrl: process.env.CAMPAIGND_URL ?? "http://127.0.0.1:8080",
  headers: { Authorization: `Bearer ${process.env.CAMPAIGND_TOKEN ?? "none"}` },
});
const run = process.env.RUN ?? String(Date.now());

// The answer, or the Status as an exception.
function must<T>(answer: { data?: T; error?: Status; response: Response }): T {
  if (answer.data !== undefined) return answer.data;
  throw new Error(`HTTP ${answer.response.status}: ${answer.error?.message}`);
}

// The data of each event "progress".
async function* watch(workflowId: string): AsyncGenerator<Progress> {
  const { data, error } = await client.GET("/v1/workflows/{workflow_id}/watch", {
    params: { path: { workflow_id: workflowId } },
    parseAs: "stream",
  });
  if (!data) throw new Error(error?.message);
  let text = "";
  const decoder = new TextDecoder();
  for await (const piece of data as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(piece, { stream: true });
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const value = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
      if (value("event") === "progress") yield JSON.parse(value("data") ?? "{}") as Progress;
    }
  }
}

async function main(): Promise<void> {
  // 1. A draft. It may be incomplete. The same request_id gives the same wizard again.
  const wizard = must(await client.POST("/v1/wizards", {
    body: { request_id: `guide-typescript-${run}`, campaign: { campaign_name: "Spring running programme", channels: ["email", "blog"] } },
  }));
  const path = { wizard_id: wizard.wizard_id };

  // 2. What is missing, all at once.
  const validation = must(await client.POST("/v1/wizards/{wizard_id}/validate", { params: { path }, body: {} }));
  for (const fault of validation.violations) console.log("missing:", fault.field, fault.description);

  // 3. Fill it in. If somebody else changed it in the meantime, the etag is refused with 409.
  must(await client.PATCH("/v1/wizards/{wizard_id}", {
    params: { path },
    body: {
      etag: wizard.etag,
      campaign: {
        campaign_goals: ["500 sign-ups before the first of May"],
        research_sources: ["notion", "memory"],
        target_audience: "people in cities who ran last year",
        tone: "casual",
        reviewers: ["U0REVIEWER1"],
      },
    },
  }));

  // 4. Start it.
  const started = must(await client.POST("/v1/wizards/{wizard_id}/approve", { params: { path }, body: {} }));
  console.log("started:", started.workflow_id);
  const campaign = { workflow_id: started.workflow_id };

  // 5. Follow it until it waits for a decision.
  for await (const progress of watch(started.workflow_id)) {
    console.log(`${progress.progress_percentage} % ${progress.current_phase}`);
    if (progress.waiting_for_approval) break;
  }

  // 6. Decide. The first decision wins; a second one is told who decided.
  must(await client.POST("/v1/workflows/{workflow_id}/signals/approve", {
    params: { path: campaign },
    body: { comment: "Go." },
  }));
  const second = await client.POST("/v1/workflows/{workflow_id}/signals/reject", {
    params: { path: campaign },
    body: { comment: "No." },
  });
  if (second.error) console.log("too late:", second.error.message);

  // 7. The result, when it is there. Each call waits for a minute at most.
  for (;;) {
    const answer = must(await client.GET("/v1/workflows/{workflow_id}/result", {
      params: { path: campaign, query: { wait: "60s" } },
    }));
    if (answer.status === "RUNNING") continue;
    const result = answer.result?.value as components["schemas"]["CampaignResult"];
    console.log(`${answer.status}: ${result.published_channels.join(", ")}`);
    return;
  }
}

await main();
