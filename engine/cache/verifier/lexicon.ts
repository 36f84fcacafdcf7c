/**
 * Synonyms that WordNet does not know: terms of computing, commerce and everyday questions. One line is one meaning; a
 * phrase of several words is read as one word. The first form represents all.
 */
const MEANINGS = `
two factor authentication|2 fa|2fa|mfa|two factor auth|2 step verification|2 factor authentication|2 factor auth|multi factor authentication|two step verification
log in|login|sign in|log on|logon|signin
log out|logout|sign out|log off|sign off
sign up|signup|register|create account|signups
set up|setup|configure|configuration
turn on|switch on|enable|activate|activation|set up
turn off|switch off|disable|deactivate|deactivation
delete|remove|erase|get rid of|drop|wipe|take out|get out of|get out|clear|removal|deletion
cancel|end|terminate|cancellation
update|change|edit|modify|alter|adjust|set|switch
act_against|treat
act_against|prevent
act_against|reduce
act_against|fix
act_against|delete
make|write
make|bake
make|cook
big|grand
upgrade|move|switch
delivery|shipping|deliver|ship|shipment
money back|refund|reimbursement|get money back
buy|purchase
cost|price
sum|add up|total
cafe|coffee shop|café
find|locate|look up|see|view|check|find out
colleague|coworker|co worker|team member|teammate|workmate
invite|add
phone|telephone|cell phone|mobile
email|e mail|mail
picture|photo|image
bicycle|bike
tv|television
wifi|wi fi|wireless
app|application
restart|reboot
fix|repair|rescue|solve|resolve
error|failure
quick|quickly|fast|rapidly|rapid
start|begin|commence|launch
stop|prevent|keep from|avoid|halt
lower|reduce|decrease|bring down|cut
raise|increase|improve|boost|better
big|large
small|minor|mild|little
danger|dangerous|poisonous|toxic|poison|toxicity|harmful
sign|symptom
flu|influenza
doctor|physician
medicine|medication|drug
teenager|teen|adolescent
child|kid
baby|infant
dad|father
mom|mother|mum
adult|grown up
share|stock
salary|wage
pay|payment
us|usa|united states|america|u.s|u.s.a|american|united states of america
uk|united kingdom|great britain|britain
eu|european union
world war 2|ww2|wwii|second world war|#2 world war|world war ii
world war 1|ww1|wwi|first world war|#1 world war|world war i
usd|us dollar|dollar
eur|euro
gbp|british pound
jpy|yen
javascript|js
typescript|ts
python|py
node|node.js|nodejs
postgres|postgresql
kubernetes|k8s
visual studio code|vs code|vscode
regular expression|regex|regexp
database|db
function|method
nan|missing value|null value
directory|folder
repository|repo
sort|order|arrange
ascend|ascending|ascending order
descend|descending|descending order
convert|turn|transform|change|conversion
export|save as
reverse|invert|invert order
km|kilometre|kilometer|kilometres|kilometers|kms
m|metre|meter|metres|meters
cm|centimetre|centimeter
mm|millimetre|millimeter
ml|millilitre|milliliter
l|litre|liter
kg|kilogram|kilogramme|kilo
mg|milligram
lb|pound weight|lbs
ft|foot|feet
mi|mile
s|sec
min|minute
h|hr|hour
celsius|degree celsius|degrees celsius|° c|°c|degree centigrade|centigrade
fahrenheit|degree fahrenheit|degrees fahrenheit|° f|°f
percent|per cent|percentage
barbecue|bbq|barbeque
instagram|insta|ig
roommate|room mate|flatmate|housemate
bullet|bullet point|bullet pt
per second|/ s|a second
per hour|/ h|an hour
per minute|a minute|every minute|once a minute|once per minute|each minute
per day|a day|daily|every day|each day|for each day|in each day
per week|a week|weekly|every week|each week|for each week|in each week
per month|a month|monthly|every month|each month|for each month|in each month
per year|a year|yearly|annually|annual|every year|each year|for each year|in each year
per night|a night|every night|nightly
speed|velocity
height|elevation|altitude|how_high|high|tall
how_high|how_much|rate|level|percentage
how_much|amount
how_much|how_cost|price|cost
how_weight|weight|weigh
how_far|distance|far
how_fast|speed|velocity|fast
how_old|age|old
how_deep|depth|deep
how_wide|width|wide
advantage|benefit|pro|upside
disadvantage|drawback|con|downside
represent|stand for
how_hot|temperature|hot
how_big|size|big|large
per|each|every|for each|for every|in each
track|follow
create|make|build|implement|develop
correct|fix
vaccine|shot|vaccination|jab
extinct|die out|extinction|go extinct|become extinct
sink|go down
reschedule|move
remedy|treatment
mistake|error
process|procedure
tool|instrument
large|big|huge
cheap|inexpensive
expensive|costly
ill|sick|unwell
happy|glad
answer|respond|reply
choose|select|pick
allow|permit
company|firm|business
customer|client
employee|worker|staff member
boss|manager|supervisor
holiday|vacation
lawyer|attorney
car|automobile
plane|airplane|aeroplane|aircraft
apartment|flat
movie|film
smartphone|phone
laptop|notebook
folder|directory
website|web site|site
internet|web
package|parcel
rubbish|trash|garbage
pill|tablet
stomach ache|stomachache|stomach pain
headache|head pain
earn|make money
save money|economize
police officer|policeman|cop
highest|maximum|max|at most|highest possible|top|maximal
lowest|minimum|min|at least|lowest possible|minimal
capital|capital city
synonym|another word|other word
highest|most|largest|greatest|biggest
lowest|least|smallest|fewest
fastest|quickest
best|ideal|optimal
cheapest|least expensive
better|preferable
author|writer
film|movie
town|city
forbid|prohibit
autumn|fall season|fall
difference|differ
ratio|proportion
hard|difficult
answer|reply
help|assist
show|display
defrost|thaw
unclog|clear block|unblock|clear blocked
blocked|clogged
turn brown|go brown|brown
substitute|replace|replacement|alternative
instead of|in place of|rather than
fly|flight
merge|join|combine
book|reserve
int|integer
bool|boolean
dict|dictionary
param|parameter
arg|argument
info|information
admin|administrator
doc|documentation
id|identifier
sell|sale
die|death
choose|choice
lose|loss
prove|proof
advise|advice
cook|prepare
stage|phase
human|person
vacation|holiday
raise|pay rise|pay raise|salary increase
submit|hand in|file
prepare|get ready
expense report|expense claim
carry on luggage|hand luggage|hand baggage|carry on|cabin baggage
centre|center|central
reach|get to|arrive at
carry|take|bring
visit|go to|travel to|going to|enter
direct|non stop|nonstop
everyone|everybody|every member|all member|all
allowed|permitted
legal|lawful|legally
fine|penalty
non disclosure agreement|nda|nondisclosure agreement
exchange traded fund|etf|exchange trade fund
gram|g|gramme
ounce|oz
quickly|fast
compute|calculate|work out|calculation|computation
antonym|opposite
bullet|bullet point
locate|find|situate
produce|make|generate|create
form|come into being|arise|come into existence|formation
phone number|telephone number
km/s|km / s|kilometer per second|km per second|kilometre per second
colour|color
smoke detector|smoke alarm
assemble|put together|assembly
frequently|often
cv|resume|résumé
outdoor|outside
indoor|inside
upper case|uppercase|capital
lower case|lowercase
less than|under|below|fewer than
more than|over|above
no longer|not any more|not anymore
work|function
teach|instruct
ill|sick
street|road
trip|journey
require|need
lack|deficiency
money|cash
`;

export interface Lexicon {
  /** The words of a meaning, joined by `_`; the word itself if it has none here. */
  readonly phrases: ReadonlyMap<string, string>;
  readonly longestPhrase: number;
  /** The lines that a word stands in. */
  readonly meanings: ReadonlyMap<string, ReadonlySet<number>>;
  /** The words of each line. */
  readonly members: readonly (readonly string[])[];
}

export function loadLexicon(lemmatize: (word: string) => string): Lexicon {
  const phrases = new Map<string, string>();
  const meanings = new Map<string, Set<number>>();
  const members: string[][] = [];
  let longestPhrase = 1;
  for (const [line, entry] of MEANINGS.trim().split('\n').entries()) {
    for (const form of entry.split('|')) {
      const words = form.split(' ').map(lemmatize);
      const key = words.join('_');
      if (words.length > 1) phrases.set(words.join(' '), key);
      longestPhrase = Math.max(longestPhrase, words.length);
      const lines = meanings.get(key) ?? new Set();
      meanings.set(key, lines.add(line));
      members[line] = [...(members[line] ?? []), key];
    }
  }
  return { phrases, longestPhrase, meanings, members };
}
