/** Parts of an answer in Markdown, for questions that ask for them. `{phrase}` is a phrase of the question. */

export const LIST_LEADS: readonly string[] = [
  'These points matter for {phrase} and for its delivery:',
  'Here is a list about {phrase}, with a look behind the scenes:',
  'In brief, {phrase} comes down to these points:',
];

export const LIST_ITEMS: readonly string[] = [
  '**One subject at a time.** Everything below is about {phrase}.',
  '**The workflow** keeps the decisions and never the tokens.',
  '**The activity** streams the tokens and sends a heartbeat.',
  '**The log** gives every token a number and an order.',
  '**The cursor** brings a reader back to the right word.',
  '**The epoch** rejects writes that come too late.',
  '**The budget** reserves the highest price and settles the real one.',
  '**The cache** answers again only when no difference matters.',
  '**The route** names the next model if this one fails.',
  '**The queue** lets users take turns when capacity is short.',
  '**The key** decides who may read the answer.',
  '**The trace** shows the run from the request to the last token.',
];

export const STEP_LEADS: readonly string[] = [
  'Step by step, this is what happened to your question about {phrase}:',
  'These are the steps behind the answer on {phrase}:',
];

/** In this order. */
export const STEPS: readonly string[] = [
  'The API checked your key and gave the request an identifier.',
  'The budget reserved the highest price that the answer could have.',
  'The cache was asked for an earlier answer about {phrase}.',
  'A workflow started and chose the first candidate of the route.',
  'An activity opened the log and called the model.',
  'Each token was stored, published and sent to you.',
  'At the end, the budget was settled and the answer was kept for the next reader.',
];

export const TABLE_LEADS: readonly string[] = [
  'The table shows which part does what while {phrase} is being written:',
  'Here is a table for {phrase}, one row for each part of the system:',
];

export const TABLE_HEAD: readonly string[] = ['Part', 'What it does', 'What survives a crash'];
export const TABLE_ROWS: readonly (readonly string[])[] = [
  ['Workflow', 'decides the next step', 'every decision'],
  ['Activity', 'streams the tokens', 'every token that was stored'],
  ['Log', 'keeps the order', 'the whole text'],
  ['Cursor', 'marks the place of a reader', 'the place itself'],
  ['Budget', 'reserves and settles', 'every reservation'],
  ['Cache', 'finds earlier answers', 'all stored answers'],
  ['Route', 'chooses the model', 'the list of candidates'],
  ['Queue', 'lets users take turns', 'the order of the line'],
];

export const CODE_LEADS: readonly string[] = [
  'This code asks about {phrase} and prints the answer as it arrives:',
  'With a few lines of code you can ask about {phrase} yourself:',
];

export type Language = 'bash' | 'json' | 'python' | 'sql' | 'typescript' | 'yaml';

/** `{question}` is the subject in plain words, safe within a string. */
export const CODE: Readonly<Record<Language, string>> = {
  bash: `curl -N http://127.0.0.1:8787/v1/generations \\
  -H "Authorization: Bearer $UNBROKEN_API_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"input": "{question}", "stream": true}'`,
  json: `{
  "input": "{question}",
  "stream": true,
  "cache": "on"
}`,
  python: `import os
import httpx

url = "http://127.0.0.1:8787/v1/generations"
headers = {"Authorization": f"Bearer {os.environ['UNBROKEN_API_KEY']}"}
body = {"input": "{question}", "stream": True}

with httpx.stream("POST", url, headers=headers, json=body, timeout=None) as response:
    for line in response.iter_lines():
        if line.startswith("data: "):
            print(line.removeprefix("data: "))`,
  sql: `SELECT model, SUM(cost_micro_usd) / 1e6 AS dollars
FROM generations
WHERE question = '{question}'
GROUP BY model
ORDER BY dollars DESC;`,
  typescript: `const response = await fetch('http://127.0.0.1:8787/v1/generations', {
  method: 'POST',
  headers: {
    authorization: \`Bearer \${process.env.UNBROKEN_API_KEY}\`,
    'content-type': 'application/json',
  },
  body: JSON.stringify({ input: '{question}', stream: true }),
});
for await (const chunk of response.body) process.stdout.write(chunk);`,
  yaml: `routes:
  default:
    - simulated/sim-large
    - simulated/sim-small
# Ask it: {question}`,
};

export const SUMMARIES: readonly string[] = [
  '**Summary:** {phrase} was the question, and every word of the answer has a place in the log.',
  '**In short:** the answer about {phrase} can be interrupted, but it cannot be lost.',
];

/** Each couplet stands by itself. */
export const COUPLETS: readonly (readonly [string, string])[] = [
  [
    'A token left the model in the middle of the night,',
    'and found its number in the log before the morning light.',
  ],
  [
    'The worker fell, the server slept, the network lost its thread,',
    'and still the reader turned the page and found the word ahead.',
  ],
  [
    'The cursor is a little mark that every reader brings,',
    'and with it comes the very line on which the answer swings.',
  ],
  [
    'The budget counted every cent before the song began,',
    'and settled it when all was sung, as only ledgers can.',
  ],
  [
    'An epoch old, an epoch new, and only one may write,',
    'so what was said remains as said, and what is right is right.',
  ],
  [
    'The queue is long, the queue is fair, and each will have a turn,',
    'for those who wait are not forgotten; logs are slow to burn.',
  ],
  [
    'The cache recalled a question that was asked the day before,',
    'and checked each word, and shook its head, and closed again the door.',
  ],
  [
    'So sleep, my weary process, sleep, and wake up where you please,',
    'the text runs on without a gap, like wind among the trees.',
  ],
];
export const POEM_TITLES: readonly string[] = ['### Lines on {phrase}', '### A small poem about {phrase}'];
