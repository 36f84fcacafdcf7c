/** Abbreviations: a list of those that everybody writes, and rules for the others, which need the other prompt. */

/** Short form, then the words it stands for. A form that is also a common word is not listed. */
const LISTED = `
u you;ur your;urs yours;ya you;thx thanks;tx thanks;thnx thanks;ty thanks;pls please;plz please;plse please;pleas please
abt about;approx about;approximately about;roughly about;circa about;asap as soon as possible;appt appointment
appts appointments;dept department;depts departments;govt government;gov government;acct account;accts accounts
msg message;msgs messages;pic picture;pics pictures;yr year;yrs years;hr hour;hrs hours;mins minutes;sec second
secs seconds;mth month;mths months;mos months;wk week;wks weeks;nr number;num number;temp temperature
temps temperatures;diff difference;diffs differences;hw homework;bday birthday;vs versus;incl including
excl excluding;ppl people;mgr manager;mgmt management;addr address;qty quantity;vid video;vids videos;bc because
cuz because;coz because;tho though;thru through;nite night;tonite tonight;tmrw tomorrow;tmr tomorrow;tomo tomorrow
2moro tomorrow;yday yesterday;rn right now;atm at the moment;btw by the way;fyi for your information
idk i do not know;cmd command;cmds commands;fn function;func function;config configuration;repo repository
env environment;prod production;vars variables;btwn between;b4 before;gr8 great;l8r later;lil little;eg for example
aka also known as;esp especially;max maximum;avg average;uni university;meds medicine;rx prescription;fave favorite
fav favorite;intl international;bldg building;apt apartment;blvd boulevard;jan january;feb february;apr april;jun june
jul july;aug august;sept september;oct october;nov november;mon monday;tue tuesday;tues tuesday;wed wednesday
thur thursday;thurs thursday;thu thursday;fri friday;alot a lot;ok okay;kinda kind of;sorta sort of;quid pounds
bucks dollars;buck dollar;xmas christmas;nope no;nah no;yep yes;yeah yes;yup yes;teh the
wat what;wot what;wich which;wether whether;shld should;shud should;wld would;cld could;hav have;dis this;pg page
pgs pages;lvl level;lvls levels;atk attack;chem chemistry;cust customer
`;
/** Also common words: months only beside a number. */
const LISTED_BESIDE_NUMBER = new Map([
  ['dec', 'december'],
  ['mar', 'march'],
  ['sep', 'september'],
]);

const WORDS_OF = new Map(
  LISTED.trim()
    .split(/[;\n]/)
    .map((entry) => {
      const [short = '', ...words] = entry.split(' ');
      return [short, words] as const;
    }),
);

/** @returns the words that an abbreviation stands for; null if it is none, or may be a name. */
export function expandAbbreviation(word: string, isBesideNumber: boolean): readonly string[] | null {
  const month = isBesideNumber ? LISTED_BESIDE_NUMBER.get(word) : undefined;
  return month === undefined ? (WORDS_OF.get(word) ?? null) : [month];
}

export function isListedAbbreviation(word: string): boolean {
  return WORDS_OF.has(word) || LISTED_BESIDE_NUMBER.has(word);
}

const FEWEST_SHORTENED = 2;

/** `mgr` for `manager`, `k8s` for `kubernetes`, `pg` for `postgres`. */
export function isShortFor(short: string, word: string): boolean {
  const counted = /^(\p{L})(\d{1,2})(\p{L})$/u.exec(short);
  if (counted !== null) {
    const [, first = '', count, last = ''] = counted;
    return word.startsWith(first) && word.endsWith(last) && word.length === Number(count) + 2;
  }
  if (short.length < 2 || word.length < short.length + FEWEST_SHORTENED || !/^\p{L}+$/u.test(short))
    return false;
  if (short[0] !== word[0]) return false;
  if (word.startsWith(short)) return true;
  let at = 0;
  for (const letter of word) if (letter === short[at]) at += 1;
  return at === short.length;
}

/** Words that an acronym leaves out. */
const SKIPPED = new Set('of the and for in on to a an de la'.split(' '));
const MOST_INITIALS = 6;

/**
 * @param words in the order of the prompt.
 * @returns where the acronym is written out: the places of its words; null if it is not.
 */
export function findWrittenOut(acronym: string, words: readonly string[]): readonly number[] | null {
  if (!/^\p{L}{2,6}$/u.test(acronym) || acronym.length > MOST_INITIALS) return null;
  for (let start = 0; start < words.length; start += 1) {
    const places = initialsFrom(acronym, words, start);
    if (places !== null) return places;
  }
  return null;
}

function initialsFrom(acronym: string, words: readonly string[], start: number): number[] | null {
  const places: number[] = [];
  for (let at = start, letter = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (word[0] === acronym[letter] && word.length > 1) {
      places.push(at);
      letter += 1;
      if (letter === acronym.length) return places;
    } else if (places.length === 0 || !SKIPPED.has(word)) return null;
  }
  return null;
}
