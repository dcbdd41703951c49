// All entries of a board, for the search and the histogram.

export const MOST = 20_000;
const PAGE = 200;
const AT_ONCE = 4;
const LEAST_MS = 10_000;
const PER_PAGE_MS = 1000;

export class Everyone {
  entries = [];
  revision = null;
  tooMany = false;
  #keys = [];
  #loading = null;
  #notBefore = 0;

  constructor(api, examId) {
    Object.assign(this, { api, examId });
  }

  // In how many milliseconds all pages may be read again.
  get wait() {
    return Math.max(0, this.#notBefore - performance.now());
  }

  // Reads all pages, unless that was done of late; resolves to whether anything is new. A large
  // board is read less often: a page a second is what a candidate's rate limit bears.
  load(revision) {
    if (this.#loading) return this.#loading;
    if (revision === this.revision || this.wait > 0) return Promise.resolve(false);
    this.#loading = this.#read().finally(() => (this.#loading = null));
    return this.#loading;
  }

  // Returns the entries whose names hold all words, whatever the case and the accents.
  find(text) {
    const words = plain(text).split(/\s+/).filter(Boolean);
    return this.entries.filter((_, at) => words.every((word) => this.#keys[at].includes(word)));
  }

  async #read() {
    const get = async (page) =>
      (await this.api.get("/leaderboard", { exam_id: this.examId, page, per_page: PAGE })).body;
    const first = await get(1);
    const pages = Math.ceil(Math.min(first.total_participants, MOST) / PAGE);
    this.tooMany = first.total_participants > MOST;
    this.#notBefore = performance.now() + Math.max(LEAST_MS, pages * PER_PAGE_MS);
    // By user: one who moves between two pages meanwhile would stand there twice.
    const found = new Map();
    const keep = (body) => body.leaderboard.forEach((entry) => found.set(entry.user_id, entry));
    keep(first);
    for (let page = 2; page <= pages; page += AT_ONCE) {
      const numbers = Array.from({ length: Math.min(AT_ONCE, pages - page + 1) }, (_, at) => page + at);
      (await Promise.all(numbers.map(get))).forEach(keep);
    }
    this.entries = [...found.values()].sort((a, b) => a.rank - b.rank || a.user_id - b.user_id);
    this.#keys = this.entries.map((entry) => plain(`${entry.full_name} ${entry.username}`));
    this.revision = first.revision;
    return true;
  }
}

function plain(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}
