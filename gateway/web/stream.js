// Server-Sent Events by fetch: EventSource cannot send a token in a header, and one in the address
// would stand in every log on the way.

// Three heartbeats: a connection that is silent for longer leads nowhere any more.
export const SILENCE_MS = 45_000;

// Turns pieces of a stream into events {id, type, data}, as the HTML standard has it.
export class EventParser {
  #rest = "";
  #type = "";
  #data = [];
  // Of the last event, also of one without an id of its own.
  lastId = null;

  push(text) {
    const lines = (this.#rest + text).split(/\r\n|\n|\r(?!$)/);
    // The last one is not over; a CR at its end may be half of a CRLF.
    this.#rest = lines.pop();
    const events = [];
    for (const line of lines) {
      if (line !== "") this.#field(line);
      else if (this.#data.length || this.#type) {
        if (this.#data.length) {
          events.push({ id: this.lastId, type: this.#type || "message", data: this.#data.join("\n") });
        }
        this.#type = "";
        this.#data = [];
      }
    }
    return events;
  }

  #field(line) {
    const colon = line.indexOf(":");
    // A comment, such as a heartbeat.
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.#type = value;
    else if (name === "data") this.#data.push(value);
    else if (name === "id" && !value.includes("\0")) this.lastId = value;
  }
}

// Reads one stream until it ends. Returns the id to resume from; throws where it was refused.
export async function readStream(api, examId, lastId, onEvent, signal) {
  const silence = new AbortController();
  let timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    const headers = { Accept: "text/event-stream" };
    if (lastId !== null) headers["Last-Event-ID"] = lastId;
    const response = await api.open("/leaderboard/stream", { exam_id: examId }, headers,
      AbortSignal.any([signal, silence.signal]));
    const parser = new EventParser();
    parser.lastId = lastId;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    try {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return parser.lastId;
        clearTimeout(timer);
        timer = setTimeout(() => silence.abort(), SILENCE_MS);
        for (const event of parser.push(value)) onEvent(event);
      }
    } catch {
      // Broken off in the middle: what came counts, and the next one begins behind it.
      return parser.lastId;
    }
  } finally {
    clearTimeout(timer);
  }
}

// Doubles with every failure, and half of it is chance: a thousand pages do not come back at once.
export function backOff(failures, baseMs, mostMs) {
  return Math.min(mostMs, baseMs * 2 ** failures) * (0.5 + Math.random() / 2);
}
