import OpenAI from 'openai';

// The official client, unchanged: only its address is Switchyard's.
const url = process.env.SWITCHYARD_URL ?? 'http://localhost:4000';
const openai = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none-is-needed-yet' });
const messages = [{ role: 'user' as const, content: 'Write a haiku about railways' }];

// An answer. Switchyard chooses the model, and says which one it was and what it cost.
const { data: answer, response } = await openai.chat.completions.create({ model: 'auto', messages }).withResponse();
console.log('answer:', answer.choices[0]?.message.content);
console.log('model:', answer.model, '| cost in USD:', response.headers.get('x-switchyard-cost-usd'));
console.log('why:', response.headers.get('x-switchyard-route'));

// A stream. Its cost comes with the usage, in the last chunk.
const stream = await openai.chat.completions.create({
  model: 'auto',
  messages,
  stream: true,
  stream_options: { include_usage: true },
});
for await (const chunk of stream) {
  process.stdout.write(chunk.choices[0]?.delta.content ?? '');
  if (chunk.usage) console.log('\nusage:', JSON.stringify(chunk.usage));
}

// A tool call.
const called = await openai.chat.completions.create({
  model: 'auto',
  messages: [{ role: 'user', content: 'How warm is it in Oslo?' }],
  tools: [{ type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } }],
  tool_choice: 'required',
});
console.log('tool calls:', JSON.stringify(called.choices[0]?.message.tool_calls));

// An error, with the same code as over GraphQL. What cannot succeed later is not sent again.
try {
  await openai.chat.completions.create({ model: 'no-such-model', messages });
} catch (error) {
  if (!(error instanceof OpenAI.APIError)) throw error;
  console.log('error:', error.status, error.code, '|', error.message);
}
