/** Words that are not the subject of a question. */

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** What stands before a noun makes the noun more likely to be the subject. */
export const FUNCTION_WORDS = words(
  'a an the my your our his her its their this that these those some any every each no of in on at to from for with ' +
    'by about between into over under after before through without than as via per and or but nor so if then else ' +
    'because while when where which who whom whose what why how is are was were be been being am do does did done has ' +
    'have had having can could may might must will would should i me you he she it we they us them myself yourself ' +
    'itself not never ever always only also just too very more most much many few less least such same other there here now ' +
    "today yes please thanks thank hello hi ok okay up down out off again still yet already really quite it's what's " +
    "that's don't doesn't isn't i'm you're let's let all both either neither whether until against during",
);

/** What a request is made of, whatever its subject. */
export const REQUEST_WORDS = words(
  'tell write give show explain describe make create draft list summarise summarize compare answer say name find help ' +
    'want need like know think mean means work works working happen happens take takes get gets go goes use used using ' +
    'come comes put look see ask asked try question questions example examples list lists table tables code snippet ' +
    'step steps heading headings section sections chapter chapters report essay article summary poem sentence ' +
    'sentences word words paragraph paragraphs briefly detail details markdown json yaml ' +
    'bullet bullets points point text simply difference differences versus vs possible ' +
    'one two three four five six seven eight nine ten next last python typescript ' +
    'javascript bash sql curl continue further thing things something anything everything way ways',
);

/** Words that join two nouns into one phrase. */
export const LINKS = words('of');

export const ARTICLES = words('a an the');

/** They belong to the noun behind them, and are no subject alone. */
export const ADJECTIVES = words(
  'long short brief detailed simple better best different good bad new old big small great first second third',
);
