import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateText, jsonSchema, streamText, tool } from 'ai';

const url = process.env.SWITCHYARD_URL ?? 'http://localhost:4000';
const switchyard = createOpenAICompatible({ name: 'switchyard', baseURL: `${url}/v1`, includeUsage: true });
const model = switchyard('auto');

const answer = await generateText({ model, prompt: 'Write a haiku about railways' });
console.log('answer:', answer.text);
console.log('model:', answer.response.modelId, '| tokens:', answer.usage.totalTokens);

const stream = streamText({ model, prompt: 'Write a haiku about railways' });
for await (const text of stream.textStream) process.stdout.write(text);
console.log('\ntokens:', (await stream.usage).totalTokens);

const called = await generateText({
  model,
  prompt: 'How warm is it in Oslo?',
  toolChoice: 'required',
  tools: { weather: tool({ inputSchema: jsonSchema({ type: 'object', properties: {} }) }) },
});
console.log('tool calls:', called.toolCalls.map(({ toolName }) => toolName).join());
