/**
 * Classifies the task of an input if the caller does not name it, by a few weighted cues that can be shown to people.
 * No model is called, and it takes microseconds. Its accuracy is measured on a labelled set
 * (test/engine/routing/labelled-tasks.json; docs/routing.md has the results).
 */
import { type Message, textOfMessage } from '../../contracts/content.ts';

export const taskClasses = ['simple', 'complex', 'code'] as const;
type TaskClass = (typeof taskClasses)[number];

export interface ClassifiedTask {
  /** One of `taskClasses`, or the task that the caller named. */
  readonly task: string;
  readonly source: 'caller' | 'classifier';
  /** For people: the cues for this task. */
  readonly because: string;
}

interface MatchedCue {
  readonly name: string;
  readonly task: TaskClass;
  readonly weight: number;
}

interface Cue extends MatchedCue {
  readonly pattern: RegExp;
}

const cue = (name: string, task: TaskClass, weight: number, pattern: RegExp): Cue => ({
  name,
  task,
  weight,
  pattern,
});

const CUES: readonly Cue[] = [
  cue(
    'a block of code',
    'code',
    4,
    /```|\b(select|SELECT)\b.{1,200}\b(from|FROM)\b.{1,80}\b(WHERE|JOIN|GROUP|ORDER|LIMIT|where|join|group|order|limit)\b|^[ \t]*(def|class|import|from|function|const|let|public|#include|SELECT)\b.*[({:;]/m,
  ),
  cue('symbols of code', 'code', 2, /=>|\(\)|\{\s*\n|;\s*\n|<\/\w+>|\w\.\w+\(|==|&&|\|\||::/),
  cue(
    'a language or tool of programmers',
    'code',
    2.5,
    /\b(python|javascript|typescript|java|rust|golang|kotlin|swift|php|ruby|c\+\+|c#|sql|bash|shell|html|css|react|vue|django|flask|express|node(\.js)?|docker(file)?|kubernetes|terraform|git|regex|postgres(ql)?|redis|webpack|numpy|pandas|pytest|jest|yaml|graphql|dbt|makefile|cron|nginx)\b/i,
  ),
  cue(
    'a word of programming',
    'code',
    2,
    /\b(function|method|class|script|codebase|code|bug|debug|refactor|compile[sr]?|unit tests?|stack trace|exception|api endpoint|endpoint|regular expression|quer(y|ies)|algorithm|linked list|binary (search|tree)|hash ?map|recursi(ve|on)|async|thread[- ]?safe|mutex|race condition|deadlock|segfault|null pointer|type ?error|migration|schema|pull request|middleware|decorator|iterator|parser|cli tool|command[- ]line|webhook|implement|json|csv|scraper|rest api|server|linker|linking|compiler|environment variables?|systemd|commit|branch|repository|rate limiter|cache|data structure|(observer|factory|singleton|visitor) pattern|monorepo|localhost|port \d+)\b/i,
  ),
  cue(
    'it asks to write or mend a program',
    'code',
    1.5,
    /\b(implement|write|fix|debug|refactor|optimi[sz]e|port|rewrite)\b[^.?!]{0,60}\b(function|class|script|program|query|code|module|component|test|tests|api|app|endpoint|parser|method|loop|hook)\b/i,
  ),
  cue(
    'it asks for reasons, proof or judgement',
    'complex',
    2,
    /\b(prove|proof|derive|analy[sz]e|analysis|evaluate|assess|critique|critically|compare|contrast|trade-?offs?|pros and cons|argue|justify|implications?|consequences|effects? of|objections?|discuss|trace how|what would happen|first principles|root causes?|why (do|does|did|is|are|might|would|has|have)|explain (why|how|the)|and why|reason(ing)?|step[- ]by[- ]step|think through|counter-?arguments?|interpret)\b/i,
  ),
  cue(
    'it asks for a plan or a design',
    'complex',
    2.5,
    /\b(design|architect(ure)?|plan|strategy|roadmap|propose|proposal|recommend(ation)?|framework|methodology|business case|forecast|model the|negotiat\w+|policy|prioriti[sz]e|allocate)\b/i,
  ),
  cue(
    'mathematics or logic',
    'complex',
    2,
    /\b(probability|theorem|integral|derivative|equation|matrix|eigen\w+|induction|optimal|expected value|bayes\w*|inequality|combinator\w+|puzzle|riddle|how many ways|logically|paradox|converge\w*)\b|\d\s*[\^=]\s*\d|\bx\^?\d?\s*[+=]/i,
  ),
  cue(
    'several conditions',
    'complex',
    1.5,
    /\b(given that|assum(e|ing)|subject to|constraints?|at least|at most|must (not )?|while also|taking into account|considering|under the condition|if .{5,80} (then|what|how|who))\b/i,
  ),
  cue(
    'a long text is wanted',
    'complex',
    1.5,
    /\b(essay|in[- ]depth|detailed|comprehensive|thorough(ly)?|report|white ?paper|case study|literature review|\d{3,} words|[3-9] (sections|paragraphs|options|scenarios))\b/i,
  ),
  cue('several questions', 'complex', 1.5, /\?[^?]{15,}\?/),
  cue(
    'a question of fact',
    'simple',
    2,
    /^\W*(who|what('s| is| are| was| were)?|when|where|which|how (many|much|old|tall|far|long|do (i|you) (say|spell))|is|are|does|do|can|did|name|list|give me|tell me|define)\b/i,
  ),
  cue(
    'a small change of a given text',
    'simple',
    2.5,
    /\b(translate|summari[sz]e|rephrase|reword|paraphrase|proofread|correct the (spelling|grammar)|fix the (spelling|grammar|typos?)|convert|capitali[sz]e|extract|classify|categori[sz]e|label|sort|alphabeti[sz]e|shorten|spell|synonyms?|antonyms?|rhymes?|abbreviat\w+|reformat|bullet points?|tl;?dr)\b/i,
  ),
  cue(
    'a short answer is wanted',
    'simple',
    2,
    /\b(in (one|a single|1|two|2) (sentence|word|line)s?|briefly|in short|yes or no|one[- ]word|short (answer|reply|note|poem|caption|message|greeting)|quick(ly)?|just the)\b/i,
  ),
  cue(
    'a small text',
    'simple',
    1.5,
    /\b(haiku|joke|caption|tagline|slogan|tweet|greeting|birthday|subject line|thank[- ]you|out[- ]of[- ]office|reminder|limerick|recipe|headline|title)\b/i,
  ),
];

/** Most short inputs are simple tasks, most long ones are not. */
const SHORT_CHARS = 90;
const LONG_CHARS = 1_200;
/** Only the start of the text is searched for cues. */
const READ_CHARS = 8_000;

/** Takes linear time for any text. */
export function matchCues(text: string): MatchedCue[] {
  return CUES.filter(({ pattern }) => pattern.test(text)).map(({ name, task, weight }) => ({
    name,
    task,
    weight,
  }));
}

/** @returns the task with the highest score; without cues, `simple` for a short input and `complex` for others. */
export function classifyTask(messages: readonly Message[]): ClassifiedTask {
  const last = messages.findLast(({ role }) => role === 'user');
  const whole = last === undefined ? '' : textOfMessage(last);
  const cues = matchCues(whole.slice(0, READ_CHARS));
  if (whole.length < SHORT_CHARS) cues.push({ name: 'a short input', task: 'simple', weight: 1 });
  if (whole.length > LONG_CHARS) cues.push({ name: 'a long input', task: 'complex', weight: 1 });
  const scores = taskClasses.map((task) => ({
    task,
    score: cues.reduce((sum, matched) => sum + (matched.task === task ? matched.weight : 0), 0),
  }));
  const best = scores.reduce((a, b) => (b.score > a.score ? b : a));
  if (best.score === 0) return { task: 'complex', source: 'classifier', because: 'no cue' };
  const names = cues.filter(({ task }) => task === best.task).map(({ name }) => name);
  return { task: best.task, source: 'classifier', because: names.join(', ') };
}
