/** Two versions of a prompt share the traffic; the statistics say what the second one saves, and how sure that is. */
import { createClient, textOf } from '../clients/typescript/index.ts';
import { readClientEnvironment } from '../platform/config/client-environment.ts';

const REQUESTS = 80;
const client = createClient(readClientEnvironment());
const { prompts } = client;
const wordy =
  'You are a kind assistant of {{company}}. Explain everything, with examples, and sum it up at the end.';
const versions = await Promise.all(
  [wordy, 'You answer for {{company}}, in one line.'].map((system) =>
    prompts.addVersion('example', { system, variables: { company: {} } }),
  ),
);
const [first, second] = versions.map(({ version }) => version).sort((a, b) => a - b);
if (first === undefined || second === undefined) throw new Error('two versions were added');
const arms = [first, second].map((version) => ({ version, weight: 50 }));
await prompts.setLabel('example', 'production', { arms, by: 'generation' });

for (let request = 1; request <= REQUESTS; request += 1) {
  const generation = await client.generate({
    prompt: { name: 'example', variables: { company: 'Acme' } },
    input: `Question ${request}: can I return my shoes? [[sim tokens=40 delay_ms=0]]`,
    cache: 'off',
  });
  await textOf(generation);
  if (request % 2 === 0) await client.giveFeedback(generation.id, { score: 1 });
}
console.log('Now run: npx unbroken prompts stats example');
