// The official Node SDK, driven by test_sdk_node.py: prints what it saw as JSON.
import OpenAI, { toFile } from "openai";
import { createHash } from "node:crypto";

const [baseURL, apiKey] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const messages = [{ role: "user", content: "Hello" }];
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const seen = {};

seen.chat = await client.chat.completions.create({ model: "gpt-4o-mini", messages });
seen.chunks = [];
for await (const chunk of await client.chat.completions.create({ model: "gpt-4o-mini", messages, stream: true })) seen.chunks.push(chunk);
const raw = await client.chat.completions.create({ model: "gpt-4o-mini", messages, stream: true }).asResponse();
seen.rawStream = sha256(Buffer.from(await raw.arrayBuffer()));
seen.events = [];
for await (const event of await client.responses.create({ model: "gpt-4o", input: "x", stream: true })) seen.events.push(event.type);
seen.embedding = (await client.embeddings.create({ model: "text-embedding-3-small", input: "x" })).data[0].embedding.length;
const sound = Buffer.alloc(500_000, 7);
seen.heard = (await client.audio.transcriptions.create({ model: "whisper-1", file: await toFile(sound, "a.wav") })).text;
seen.soundHash = sha256(sound);
seen.spoken = (await (await client.audio.speech.create({ model: "tts-1", voice: "alloy", input: "x" })).arrayBuffer()).byteLength;
seen.edited = (await client.images.edit({ model: "gpt-image-1", image: await toFile(sound, "a.png"), prompt: "x" })).data[0].revised_prompt;
const file = await client.files.create({ file: await toFile(sound, "b.jsonl"), purpose: "batch" });
seen.fileHash = sha256(Buffer.from(await (await client.files.content(file.id)).arrayBuffer()));
seen.deleted = (await client.files.delete(file.id)).deleted;
try {
  await client.files.retrieve(file.id);
} catch (error) {
  seen.missing = error instanceof OpenAI.NotFoundError;
}
try {
  await new OpenAI({ baseURL, apiKey: "sk-wrong", maxRetries: 0 }).models.list();
} catch (error) {
  seen.unauthorised = error instanceof OpenAI.AuthenticationError && error.code === "invalid_api_key";
}
console.log(JSON.stringify(seen));
