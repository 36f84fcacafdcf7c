/** The thread that runs the verifier's rules: one user's text must not stop the streams of others. */
import { serveThread } from '../../platform/threads/serve-thread.ts';
import { verifierRequestSchema } from './threaded-verifier.ts';
import { compareConversations } from './verifier/compare-conversations.ts';
import { createVerifier } from './verifier/verify.ts';

await serveThread(() => {
  const verifier = createVerifier();
  return (message) => {
    const { questions, others, compareMs } = verifierRequestSchema.parse(message);
    if (others === null) return JSON.stringify(questions.map(verifier.signatureOf));
    return compareConversations(verifier, questions, others, performance.now() + compareMs);
  };
});
