// Lives of objects with the official Node SDK, driven by test_objects.py: ends with 1 at the first that is not right.
import assert from "node:assert/strict";
import OpenAI, { toFile } from "openai";

const [baseURL, apiKey, rounds] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const model = "gpt-4o-mini";

const all = async (pages) => {
  const found = [];
  for await (const each of pages) found.push(each);
  return found;
};
const isGone = (promise) => assert.rejects(promise, OpenAI.NotFoundError);

async function files(round) {
  const text = `round ${round}`;
  const made = [];
  for (let i = 0; i < 3; ++i) made.push((await client.files.create({ file: await toFile(Buffer.from(text), `${i}.txt`), purpose: "user_data" })).id);
  assert.equal(await (await client.files.content(made[0])).text(), text);
  const listed = (await all(client.files.list({ limit: 2 }))).map((file) => file.id);
  for (const id of made) assert.ok(listed.includes(id));
  const store = await client.vectorStores.create({ file_ids: [made[0]] });
  assert.equal((await client.vectorStores.retrieve(store.id)).id, store.id);
  const content = [{ type: "input_file", file_id: made[1] }];
  const tools = [{ type: "file_search", vector_store_ids: [store.id] }];
  // The two may belong to different keys; each alone must do.
  assert.equal((await client.responses.create({ model, input: [{ role: "user", content }] })).status, "completed");
  assert.equal((await client.responses.create({ model, input: "What?", tools })).status, "completed");
  await client.vectorStores.delete(store.id);
  for (const id of made) await client.files.delete(id);
  await isGone(client.files.retrieve(made[0]));
}

async function chains(round) {
  let previous_response_id;
  for (let turn = 0; turn < 5; ++turn) {
    const events = await all(await client.responses.create({ model, input: `Turn ${turn} of ${round}`, previous_response_id, stream: true }));
    assert.equal(events.at(-1).type, "response.completed");
    previous_response_id = events.at(-1).response.id;
  }
  const talk = await client.conversations.create({});
  await client.responses.create({ model, input: "Hello", conversation: talk.id });
  assert.equal((await all(client.conversations.items.list(talk.id))).length, 2);
  await client.conversations.delete(talk.id);
}

async function threads() {
  const assistant = await client.beta.assistants.create({ model });
  const thread = await client.beta.threads.create({ messages: [{ role: "user", content: "Hello" }] });
  const events = await all(await client.beta.threads.runs.create(thread.id, { assistant_id: assistant.id, stream: true }));
  assert.ok(events.some((event) => event.event === "thread.run.completed"));
  assert.equal((await all(client.beta.threads.messages.list(thread.id))).length, 2);
  await client.beta.threads.delete(thread.id);
  await client.beta.assistants.delete(assistant.id);
}

for (let round = 0; round < Number(rounds); ++round) {
  await files(round);
  await chains(round);
  await threads();
}
