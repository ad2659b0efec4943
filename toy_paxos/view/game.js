// A game of Paxos in which you are the network. This script does not know Paxos: the actors are tables, which the model
// checker of toy-paxos makes from the classes themselves. A table lists, for each state of an actor, its steps: a
// message that it receives, its next state, and the messages that it says. The script looks up steps, counts
// acceptances, and searches through all that can still happen.
"use strict";
const place = id => document.getElementById(id);
const {names, numProposers, wishes, quorum, messages, choosable, tables, games, rules, saying, learning, moves: given} =
  JSON.parse(place("data").textContent);
const positions = [...names.keys()];
const proposers = positions.slice(0, numProposers), acceptors = positions.slice(numProposers);

// A set of messages is a number with a bit for each of them.
messages.forEach((message, number) => Object.assign(message, {number, bit: 1n << BigInt(number)}));
const setOf = some => some.reduce((set, {bit}) => set | bit, 0n);
const setWhere = test => setOf(messages.filter(test));
const accepts = setWhere(({type}) => type === "ACCEPT"), promises = setWhere(({type}) => type === "PROMISE");

for (const table of tables) {
  table.steps = table.steps.map(steps => new Map(steps.map(([number, after, ...answers]) => {
    const says = answers.map(answer => messages[answer]), message = messages[number];
    return [message, {message, after, says, said: setOf(says), raises: after === undefined}];
  })));
  table.keeps = table.keeps.map(BigInt);
}

// ---- The rules of the game

let game;

// A proposal is chosen once a quorum has accepted it. ``by`` has the set of the acceptances of each acceptor, and
// ``proposed`` that of the messages that propose it.
const proposals = choosable.map(([id, value]) => {
  const about = kind => messages.filter(one => one.type === kind && one.id === id && one.value === value);
  const by = acceptors.map(at => setOf(about("ACCEPT").filter(({sender}) => sender === names[at])));
  return {id, value, by, proposed: setOf(about("PROPOSE"))};
});

// A state of the game: the state of each actor, the messages said so far, which can be delivered any number of times,
// the number of timeouts or restarts that each actor has received, and the chosen proposals in their order.
const saidAtStart = () => game.said.map(number => messages[number]);
const zeros = positions.map(() => 0);

const shown = ({actors}, at) => tables[game.actors[at]].shown[actors[at]];
const learned = (state, at) => at < numProposers ? shown(state, at)[0] : null;
const stepsOf = ({actors}, at) => tables[game.actors[at]].steps[actors[at]];
const stepOf = (state, message) =>
  stepsOf(state, message.to).get(message) ?? {message, after: state.actors[message.to], says: [], said: 0n};

// The next timeout or restart of an actor. A proposer that has learned has no timeout.
const due = (state, at) =>
  learned(state, at) === null ? messages[game.environment[at][state.used[at]]] : undefined;
const isDeliverable = (state, message) =>
  !stepOf(state, message).raises && ((state.said & message.bit) !== 0n || due(state, message.to) === message);

function deliver(state, {message, after, said}) {
  const next = {...state, actors: state.actors.with(message.to, after), said: state.said | said};
  if (message.isEnvironment) next.used = state.used.with(message.to, state.used[message.to] + 1);
  const isChosen = ({by}) => by.filter(set => set & next.said).length >= quorum;
  if (said & accepts & ~state.said) next.chosen = [...new Set([...state.chosen, ...proposals.filter(isChosen)])];
  return next;
}

// Why an acceptor has not granted a request, in the words of a story, and "" if it has; the state is the one after it.
function denial({message, says}, state) {
  const [promised] = shown(state, message.to), isRefused = says.some(({type}) => type === "FAIL");
  if (!message.isRequest || says.length && !isRefused) return "";
  return `${isRefused ? "refused" : "unanswered"}${promised === null ? "" : `, promised ${promised || "nothing"}`}`;
}

// How a step from one state to another violates each property; the names and the words are those of toy-paxos.
const PROPERTIES = {
  "at most one value is chosen": (before, {chosen}) => {
    const second = chosen.find(({value}) => value !== chosen[0].value);
    return second && `a second value is chosen: ${second.value}`;
  },
  "a value that is chosen was proposed under its number": (before, {chosen, said}) => {
    const invented = chosen.find(({value, proposed}) => !wishes.includes(value) || !(said & proposed));
    return invented && `a value is chosen that nobody proposed: ${invented.value}`;
  },
  "what a proposer learns is chosen": (before, after) => {
    const values = [null, ...after.chosen.map(({value}) => value)];
    const at = proposers.find(at => !values.includes(learned(after, at)));
    return at !== undefined && `${names[at]} learns what is not chosen: ${learned(after, at)}`;
  },
  "proposers learn the same value": (before, after) => {
    const known = state => at => learned(state, at) !== null;
    const [first, ...rest] = [...proposers.filter(known(before)), ...proposers.filter(known(after))];
    const other = rest.find(at => learned(after, at) !== learned(after, first));
    return other !== undefined && `${names[first]} and ${names[other]} learn different values: ` +
      `${learned(after, first)}, ${learned(after, other)}`;
  },
  "a promise never goes down": (before, after) => {
    const promised = set => messages.filter(({bit}) => bit & set & promises);
    const highest = name => Math.max(...promised(before.said).filter(({sender}) => sender === name).map(({id}) => id));
    const fallen = promised(after.said & ~before.said).find(({sender, id}) => id < highest(sender));
    return fallen && `${fallen.sender} promises ${fallen.id} after ${highest(fallen.sender)}`;
  },
};
const lost = (before, after) => game.properties.map(name => PROPERTIES[name](before, after)).find(Boolean);

// ---- The rules of each actor

// A rule judges what one actor says, given what it has heard and said itself. The rules are in toy_paxos/rules.py; here
// are only their conditions: a rule is broken after certain messages, or unless one of certain sets was heard.
function ruleBroken(conditions, heard, said) {
  const all = numbers => setOf(numbers.map(number => messages[number]));
  return (conditions.find(([, after, unless]) => all(after) & said || unless.every(set => all(set) & ~heard)) ?? [])[0];
}

// The first rule that each actor has broken in a game, with the delivery and the words that broke it.
function departures(path) {
  const heard = positions.map(() => 0n), said = positions.map(() => 0n), found = [];
  const speak = (at, when, says, value) => {
    const fresh = says.filter(({sender, bit}) => sender === names[at] && !(said[at] & bit));
    const statements = fresh.map(({number, words, bit}) => [`says ${words}`, saying[number], bit]);
    if (value !== null) statements.push([`learns ${value}`, learning[names[at]][value] ?? [], 0n]);
    for (const [words, conditions, bit] of statements) {
      const rule = ruleBroken(conditions, heard[at], said[at]);
      if (rule && !found.some(other => other.at === at)) found.push({at, when, rule, words});
      said[at] |= bit;
    }
  };
  for (const at of proposers) {
    // Proposers speak one after the other: a number belongs to the first that uses it.
    said[at] = said[at - 1] ?? 0n;
    speak(at, 0, saidAtStart(), learned(path[0].state, at));
  }
  path.slice(1).forEach(({state, step: {message, says}}, before) => {
    heard[message.to] |= message.bit;
    speak(message.to, before + 1, says, learned(state, message.to));
  });
  return found;
}

// ---- What can still happen: a breadth-first search by the number of deliveries

// Two reductions of the checker (toy_paxos/checking/reduction.py) make it short. A silent delivery, after which nothing
// new is said or learned, only prepares its recipient. So it is made just before a delivery to the same actor that is
// not silent. And a message is forgotten once its recipient can no longer react to it, and no later message is compared
// with it. As in the hints of toy-paxos play, FAIL is never delivered here.
const MOST_STATES = 100_000, STATES_AT_ONCE = 400;
const searched = setWhere(({type}) => type !== "FAIL");

function key({actors, said, used, chosen}) {
  const settled = chosen.flatMap(({by}) => by).reduce((all, one) => all | one, 0n);
  const keeps = actors.reduce((set, actor, at) => set | tables[game.actors[at]].keeps[actor], 0n);
  return [actors, used, chosen.map(({id, value}) => `${id} ${value}`), said & searched & keeps & ~settled].join(" ");
}

function* transitions(state, at) {
  const met = new Set;
  let silent = [{state}];
  for (let cost = 1; silent.length; cost++) {
    const now = silent;
    silent = [];
    for (const here of now) {
      const isDue = due(here.state, at);
      for (const step of stepsOf(here.state, at).values()) {
        if (step.raises || !(here.state.said & searched & step.message.bit || step.message === isDue)) continue;
        const next = deliver(here.state, step), first = here.first ?? step.message;
        if (next.said & ~state.said & searched || learned(next, at) !== learned(here.state, at))
          yield {state: next, first, cost, words: lost(here.state, next)};
        else if (met.size < met.add(`${next.actors[at]} ${next.used[at]}`).size)
          silent.push({state: next, first});
      }
    }
  }
}

// Pause now and then; return how many deliveries violate a property and the first of them, or all values that can be
// chosen.
function* lookAhead(from) {
  const seen = new Set, values = new Set, layers = [[{state: from}]];
  for (let deliveries = 0; deliveries < layers.length; deliveries++) {
    for (const {state, first, words} of layers[deliveries] ?? []) {
      if (words) return {deliveries, first, states: seen.size};
      if (seen.size === seen.add(key(state)).size) continue;
      if (seen.size > MOST_STATES) return {limit: deliveries, states: MOST_STATES};
      if (seen.size % STATES_AT_ONCE === 0) yield;
      for (const {value} of state.chosen) values.add(value);
      for (const at of positions)
        for (const next of transitions(state, at))
          (layers[deliveries + next.cost] ??= []).push({...next, first: first ?? next.first});
    }
    delete layers[deliveries];
  }
  return {values: [...values], states: seen.size};
}

// ---- What the page shows

function element(kind, attributes, ...children) {
  const space = `http://www.w3.org/${["svg", "g", "line", "path", "text"].includes(kind) ? "2000/svg" : "1999/xhtml"}`;
  const made = document.createElementNS(space, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
const short = name => name.replace(/^([pa])(roposer|cceptor)-/, "$1");
const hue = value => wishes.includes(value) ? `v${wishes.indexOf(value) % 4}` : "";
const inHue = value => element("b", {class: hue(value)}, value);
const counted = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;
const deliveries = number => counted(number, "delivery", "deliveries");

// The game so far: its states, each with the step that led there, and with the violation so far, if there is one. The
// page shows state number ``now``; later ones have been undone.
let path, now, search;

function begin(name, numbers = []) {
  game = games.find(other => other.name === name) ?? games[0];
  path = [{state: {actors: zeros, said: setOf(saidAtStart()), used: zeros, chosen: []}}];
  now = 0;
  for (const message of numbers.map(number => messages[number]))
    if (message && isDeliverable(path[now].state, message)) move(message);
  show();
}

function move(message) {
  const {state, broken} = path[now], step = stepOf(state, message), next = deliver(state, step);
  const words = lost(state, next);
  path.length = ++now;
  path.push({state: next, step, broken: broken ?? (words && {words, after: now})});
}

const played = () => path.slice(1, now + 1);
const said = () => [...new Set([...saidAtStart(), ...played().flatMap(({step}) => step.says)])];
const address = () => `#${game.name}:${played().map(({step}) => step.message.number).join(".")}`;

function show() {
  const focused = document.activeElement?.dataset.message;
  place("games").value = game.name;
  place("undo").disabled = now === 0;
  place("redo").disabled = now === path.length - 1;
  place("proposers").replaceChildren(...proposers.map(card));
  place("acceptors").replaceChildren(...acceptors.map(card));
  const departed = departures(path.slice(0, now + 1));
  place("lanes").replaceChildren(lanes(departed));
  place("lanes").scrollTop = place("lanes").scrollHeight;
  const lines = played().map(({step}, at) => `${String(at + 1).padStart(4)}  ${step.message.line}\n`);
  place("story").value = game.head + lines.join("");
  if (focused) (buttonOf(focused) ?? place("undo")).focus();
  if (location.hash !== address()) location.replace(address());
  tell(path[now], departed);
}

function card(at) {
  const {state} = path[now], [first, id, value = at < numProposers ? first : null] = shown(state, at);
  const last = said().findLast(({sender}) => sender === names[at])?.words ?? "nothing";
  const proposed = [["wants ", inHue(wishes[at])], value === null ? ["says ", last] : ["learned ", inHue(value)]];
  const accepted = value === null ? ["accepted nothing"] : [`accepted ${id} `, inHue(value)];
  const held = first === null ? [] : [[`promised ${first || "nothing"}`], accepted];
  const facts = (at < numProposers ? proposed : held).map(parts => element("p", {}, ...parts));
  const inbox = said().filter(message => message.to === at).concat(due(state, at) ?? []);
  return element("div", {class: `card ${hue(value)}`, role: "group", "aria-label": names[at]},
    element("h2", {}, names[at]), ...facts, ...inbox.map(message => button(state, message)));
}

const buttonOf = number => document.querySelector(`[data-message="${number}"]`);
function button(state, message) {
  const isAgain = !message.isEnvironment && played().some(({step}) => step.message === message);
  const words = message.isEnvironment ? message.words : `${short(message.sender)} ${message.words}`;
  const made = element("button", {
    type: "button", "data-message": message.number,
    class: `message ${hue(message.value)} ${isAgain ? "again" : ""}`,
    "aria-label": `${names[message.to]}: ${words}${isAgain ? ", again" : ""}`,
  }, words);
  made.disabled = !isDeliverable(state, message);
  made.onclick = () => { move(message); show(); };
  return made;
}

function happened(step, state) {
  const says = [...new Set(step.says.map(({words}) => words))].join(", "), denied = denial(step, state);
  return `${now}. ${step.message.told}, and says ${says || "nothing"}${denied && ` (${denied})`}.`;
}

// The last delivery, the state of the game, and, once it is known, what can still happen.
function tell({state, step, broken}, departed) {
  const isChosen = state.chosen.length && `★ ${state.chosen[0].value} is chosen: a quorum has accepted it.`;
  const isBroken = broken && `✗ You have broken it in ${deliveries(broken.after)}: ${broken.words}.`;
  place("told").textContent = step ? happened(step, state) : game.summary;
  place("status").className = broken ? "bad" : isChosen ? "good" : "";
  place("fact").textContent = isBroken || isChosen || "Nothing is chosen yet.";
  const why = departed.map(({at, when, rule, words}) =>
    `${when ? `Delivery ${when}` : "At the start"}: ${names[at]} ${words} and breaks ${rule}: ${rules[rule]}`);
  place("why").textContent = why.join("\n");
  place("hint").disabled = true;
  run(lookAhead(broken ? path[0].state : state));
}

// The search runs a little at a time; the next move replaces it.
function run(steps) {
  clearTimeout(search);
  const {value, done} = steps.next();
  if (!done) search = setTimeout(run, 0, steps);
  place("ahead").textContent = done ? foreseen(value) : "Looking ahead …";
}

function foreseen({deliveries: number, first, states, limit, values}) {
  const seen = counted(states, "state", "states");
  if (path[now].broken) return first ? `${number} is the fewest. Undo, or copy the story.` : "Undo, or copy the story.";
  place("hint").disabled = !first;
  place("hint").value = first?.number;
  if (first) return `It can be broken in ${deliveries(number)} (${seen} seen).`;
  if (limit !== undefined) return `It takes ${deliveries(limit)} or more to break it; the search ends at ${seen}.`;
  const can = `${values.join(", ") || "nothing"}${values.length === 1 ? " only" : ""}`;
  return `It cannot be broken from here. Can still be chosen: ${can} (all ${seen} seen, FAIL never delivered).`;
}

function lanes(departed) {
  const gap = names.length > 6 ? 24 : 28, x = at => 36 + gap * at, y = number => 14 + 20 * number, foot = y(now + 1);
  let longest = 20;
  const line = (x1, y1, x2, y2, kind = "") => element("line", {x1, y1, x2, y2, class: kind});
  const text = (x, y, words) => element("text", {x, y}, words);
  const under = names.flatMap((name, at) => [text(x(at) - 7, 12, short(name)), line(x(at), 18, x(at), foot)]);
  const arrows = played().map(({state, step, broken}, before) => {
    const {message} = step, denied = denial(step, state), number = before + 1, at = y(number), end = x(message.to);
    const held = acceptors.map(acceptor => [x(acceptor), shown(state, acceptor)[2]]).filter(([, value]) => value);
    under.push(...held.map(([lane, value]) => line(lane, at, lane, y(number + 1), `held ${hue(value)}`)));
    const rule = departed.find(({when}) => when === number)?.rule;
    const isFirst = state.chosen.length && !path[before].state.chosen.length;
    const marks = [isFirst && " ★ CHOSEN", broken?.after === number && " ✗ BROKEN", rule && ` ✗ ${rule}`];
    const words = `${denied && `${denied}: `}${message.words}${marks.filter(Boolean).join("")}`;
    longest = Math.max(longest, words.length);
    // A timeout or a restart is a diamond. A request that was not granted ends in a circle, crossed if it was refused.
    const from = message.isEnvironment ? end : x(names.indexOf(message.sender));
    const circle = `m-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0${denied.startsWith("refused") ? "h12" : ""}`;
    const head = message.isEnvironment ? "m-6 0l6 -6l6 6l-6 6z" : denied ? circle : `l${end < from ? 8 : -8} -4v8z`;
    return element("g", {class: `arrow ${denied ? "denied" : hue(message.value)} ${rule ? "bad" : ""}`},
      line(from, at, end, at), element("path", {d: `M${end} ${at}${head}`}),
      text(0, at + 4, number), text(x(names.length), at + 4, words));
  });
  const size = {width: x(names.length) + 7.6 * longest, height: foot};
  return element("svg", {...size, role: "img", "aria-label": "Lanes"}, ...under, ...arrows);
}

// ---- What the player does

function follow() {
  const [name, numbers] = location.hash.slice(1).split(":");
  if (!name) begin(games[0].name, given);
  else if (!game || location.hash !== address()) begin(name, numbers ? numbers.split(".").map(Number) : []);
}

for (const {name, title} of games) place("games").append(element("option", {value: name}, title));
place("rules").hidden = games.length < 2;
place("games").onchange = () => begin(place("games").value);
place("undo").onclick = () => { now--; show(); };
place("redo").onclick = () => { now++; show(); };
place("again").onclick = () => begin(game.name);
place("hint").onclick = () => {
  const button = buttonOf(place("hint").value);
  button.classList.add("hint");
  button.focus();
};
place("copy").onclick = () => { place("story").select(); document.execCommand("copy"); };
onhashchange = follow;
follow();
