// Keeps a board up to date: by the stream, by polling where there is none, and through outages.

import { Refusal, Unreachable } from "./api.js";
import { backOff, readStream } from "./stream.js";

const POLL_MS = 2000;
// A burst of commits costs two reads a second, which a candidate's rate limit allows.
const REFRESH_MS = 500;
const NO_STREAM_MS = 60_000;

export class Live {
  #stop = new AbortController();
  #lastId = null;
  #wanted = 0;
  #refreshing = null;
  #wake = () => {};
  #failures = 0;

  // refresh() reads and shows the board and returns its revision; onState(state, error) tells how
  // it goes: connecting, live, polling, lost (no server) or refused.
  constructor(api, examId, refresh, onState) {
    Object.assign(this, { api, examId, refresh, onState });
    this.#run();
  }

  stop() {
    this.#stop.abort();
    this.#wake();
  }

  // Does not wait any longer, whatever for.
  hurry() {
    this.#wake();
  }

  async #run() {
    let tries = 0;
    while (!this.#stopped) {
      let pause, refusal = null;
      let opened = false;
      try {
        // Shown before the stream says anything, and whether the stream is to be had or not.
        if (!(await this.#poll(tries ? "polling" : "connecting"))) continue;
        this.#lastId = await readStream(this.api, this.examId, this.#lastId, (event) => {
          opened = true;
          this.#take(event);
        }, this.#stop.signal);
      } catch (error) {
        if (error instanceof Refusal) refusal = error;
        else if (!(error instanceof Unreachable)) throw error;
      }
      if (this.#stopped) return;
      if (opened) {
        // Ended, or broken off: a thousand pages do not come back at once.
        tries = 0;
        await this.#wait(backOff(0, 1000, 1000));
        continue;
      }
      tries += 1;
      if (refusal?.status === 404 || refusal?.status === 501) pause = NO_STREAM_MS;
      else pause = Math.max(refusal?.retryAfterMs ?? 0, backOff(tries, 1000, 30_000));
      await this.#pollFor(pause);
    }
  }

  get #stopped() {
    return this.#stop.signal.aborted;
  }

  #take(event) {
    if (event.type !== "revision" && event.type !== "reset") return;
    const revision = Number(JSON.parse(event.data).revision ?? event.id);
    // Of another history, such as a restored backup: its revisions begin anew.
    this.#wanted = event.type === "reset" ? revision : Math.max(this.#wanted, revision);
    this.onState("live", null);
    this.#refreshing ??= this.#catchUp(event.type === "reset").finally(() => (this.#refreshing = null));
  }

  // Reads until what is shown is as new as what the stream told of.
  async #catchUp(anew) {
    for (let shown = -1; !this.#stopped && shown < this.#wanted; anew = false) {
      try {
        shown = await this.refresh(anew);
        this.onState("live", null);
      } catch (error) {
        this.#tell(error);
        await this.#wait(this.#patience(error));
        continue;
      }
      await this.#wait(REFRESH_MS);
    }
  }

  // Polls for that long, then returns, so that the stream is tried again; after an outage at once.
  async #pollFor(milliseconds) {
    const end = performance.now() + milliseconds;
    while (!this.#stopped && performance.now() < end) {
      if (!(await this.#poll("polling"))) return;
      await this.#wait(Math.min(POLL_MS, Math.max(0, end - performance.now())));
    }
  }

  // Reads once, and tells that state; returns whether the server answered at the first try.
  async #poll(state) {
    for (let first = true; !this.#stopped; first = false) {
      try {
        await this.refresh(false);
        this.#failures = 0;
        this.onState(state, null);
        return first;
      } catch (error) {
        this.#tell(error);
        await this.#wait(this.#patience(error));
      }
    }
    return false;
  }

  #tell(error) {
    if (!(error instanceof Refusal || error instanceof Unreachable)) throw error;
    if (!this.#stopped) this.onState(error instanceof Refusal ? "refused" : "lost", error);
  }

  #patience(error) {
    return Math.max(error.retryAfterMs ?? 0, backOff(this.#failures++, 500, 10_000));
  }

  #wait(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
