/**
 * Sentences about the question and the conversation. `{phrase}` is a phrase of the question, `{earlier}` one of an
 * earlier question, `{turn}` an ordinal such as "third", `{result}` what a tool returned.
 */

/** An answer begins with one of these; no other sentence of an answer begins alike. */
export const OPENINGS: Readonly<Record<QuestionKind, readonly string[]>> = {
  why: [
    'You want to know the reason behind {phrase}.',
    '“Why” is the right word to ask about {phrase}.',
    'You asked why, and the subject was {phrase}.',
    'Reasons are what you are after when you ask about {phrase}.',
  ],
  how: [
    '“How” is the question, and {phrase} is the subject.',
    '“How” asks for a sequence, so let me take {phrase} in order.',
    'You asked how, and the subject was {phrase}.',
    'Let us walk through {phrase} from the beginning to the end.',
  ],
  compare: [
    'You want a comparison, and it concerns {phrase}.',
    'Comparing is the best way to look at {phrase}.',
    'You asked for differences, and {phrase} has some worth naming.',
  ],
  request: [
    'Here is what I can write about {phrase}.',
    'You asked me to write about {phrase}.',
    'Gladly: {phrase} is a good subject to write about.',
    'Your subject is {phrase}, and this is my attempt at it.',
  ],
  other: [
    'You asked about {phrase}.',
    'Your question is about {phrase}.',
    'Thank you for asking about {phrase}.',
    'Let me answer what you asked about {phrase}.',
    'So your question concerns {phrase}.',
  ],
};
export type QuestionKind = 'why' | 'how' | 'compare' | 'request' | 'other';

export const LATER_TURNS: readonly string[] = [
  'This is the {turn} question of our conversation, and the one before it was about {earlier}.',
  'We have now reached the {turn} question, after one about {earlier}.',
  'It is your {turn} question, so I keep {earlier} in mind as well.',
  'Earlier you asked about {earlier}, and this is your {turn} question.',
];

/** Where the earlier questions have no subject that differs. */
export const SAME_SUBJECT: readonly string[] = [
  'This is the {turn} question of our conversation.',
  'We have reached the {turn} question by now.',
  'It is your {turn} question so far.',
];

export const AFTER_TOOLS: readonly string[] = [
  'The tool returned {result}, and my answer rests on that.',
  'According to the tool, the result is {result}.',
  'I called a tool first, and it reported {result}.',
];

export const WITH_IMAGES: readonly string[] = [
  'I received {images} with your message, although a simulated model cannot see.',
  'Your message came with {images}, which a real model would describe here.',
];

/** True of any subject. */
export const ADVICE: readonly string[] = [
  'A good first step with {phrase} is to separate what you know from what you assume.',
  'Two things usually decide a question about {phrase}: what you measure, and what you compare it with.',
  'The shortest honest answer on {phrase} is that it depends on what you want to do with it.',
  'It helps to name one example of {phrase} before looking for a rule.',
  'A good explanation of {phrase} begins with the part that surprises people most.',
  'There are always at least two ways to look at {phrase}, and the less obvious one is often cheaper.',
  'Most misunderstandings about {phrase} begin with a word that two people use differently.',
  'Ask what would have to be true for the opposite view of {phrase} to hold, and you will understand it better.',
  'An expert on {phrase} would first ask you what you have tried already.',
  'What matters about {phrase} can usually be drawn on a single sheet of paper.',
  'Time changes the answer to many questions about {phrase}, so note the date next to it.',
  'If you had to explain {phrase} to a child, you would leave out half of it and lose very little.',
  'Numbers make a conversation about {phrase} shorter, and their sources make it honest.',
  'The best question to ask next about {phrase} is the one whose answer could change your plans.',
  'People agree on {phrase} more often than they think, once they agree on the terms.',
  'Every account of {phrase} leaves something out, and a good one says what.',
];

export const HONESTY: readonly string[] = [
  'I am a simulated model, so I know your words but nothing about the world.',
  'A simulated model is writing this, and it knows no facts beyond your message.',
  'Please remember that I am simulated: the text is made up, while its delivery is real.',
  'Since I am only simulated, the interesting part is how these words reach you.',
];

export const CLOSINGS: readonly string[] = [
  'Ask me for a table, a list or some code, and the next answer will contain it.',
  'If you stop a worker now and ask again, you will see the same text arrive.',
  'Add an API key of a real provider, and the same request will reach a real model.',
  'Your next question can refer to this one, because the whole conversation is sent again.',
  'Try to reload the page in the middle of the next answer and watch the words continue.',
  'The same question will always get the same answer from me, which makes failures easy to spot.',
];

export const THOUGHTS: readonly string[] = [
  'The user wants to know about {phrase}.',
  'First I should decide how much detail is useful here.',
  'A short answer with one example will probably serve best.',
  'Nothing in the request asks for a particular format.',
  'There is no need for a tool unless the question names one.',
  'Perhaps the strongest point should come first.',
  'I will avoid claims that I cannot support.',
  'Earlier turns may matter, so let me keep them in view.',
  'What would a careful reader object to?',
  'That objection deserves one sentence and no more.',
  'The order should be cause, effect and consequence.',
  'Now I can check whether every paragraph answers the question.',
  'One paragraph seems to be about the system and one about the subject.',
  'Both are fine, as long as neither pretends to know too much.',
  'Length matters too, since the reader is waiting.',
  'Let me also mention what remains uncertain.',
  'Finally, the last sentence should say what to do next.',
  'This plan is good enough to begin writing.',
];

/** Complete sentences by their number of words, for texts of a given length. */
export const SHORT_SENTENCES: readonly (readonly string[])[] = [
  [],
  ['Yes.', 'Certainly.', 'Indeed.', 'Understood.', 'Agreed.', 'Naturally.'],
  ['It resumes.', 'Tokens arrive.', 'Logs remember.', 'Readers return.', 'Order holds.', 'It continues.'],
  [
    'Nothing is lost.',
    'The log knows.',
    'Every token counts.',
    'The cursor holds.',
    'Readers may leave.',
    'Workers come back.',
  ],
  [
    'The answer stays whole.',
    'No token arrives twice.',
    'One log serves everyone.',
    'The budget stays exact.',
    'A restart changes nothing.',
    'Each number follows another.',
  ],
  [
    'The log keeps its order.',
    'A worker may stop safely.',
    'The budget was reserved first.',
    'Readers resume at their cursor.',
    'Every attempt has a number.',
    'The workflow knows the rest.',
  ],
  [
    'The next worker continues the text.',
    'A late write finds no way.',
    'The same words arrive in order.',
    'Each failure has its own code.',
    'What was read is never lost.',
  ],
  [
    'The price was known before the call.',
    'All of it is written down once.',
    'The queue keeps every place in line.',
    'The reader continues where it left off.',
  ],
];
