// Calls of the gateway, and what their refusals mean to somebody who looks at a board.

const TIMEOUT_MS = 10_000;

// The gateway answered, and said no.
export class Refusal extends Error {
  constructor(status, problem, retryAfter) {
    super(problem.detail ?? problem.title ?? `status ${status}`);
    this.status = status;
    this.code = problem.code;
    // Seconds, as Podium sends it; 0 where it sends none.
    this.retryAfterMs = (Number(retryAfter) || 0) * 1000;
  }
}

// No answer came.
export class Unreachable extends Error {}

export class Api {
  constructor(token) {
    this.token = token;
    // None: what is open to everyone can be seen without one.
    const claims = token ? readClaims(token) : {};
    this.userId = Number(claims.sub) || null;
    this.role = claims.role ?? "unknown";
    this.isCandidate = this.role === "candidate";
    this.isStaff = this.role === "admin" || this.role === "moderator";
  }

  // Returns {body, etag}; body is null where the server has nothing newer than etag.
  async get(path, query, etag) {
    const response = await this.open(path, query, etag && { "If-None-Match": etag },
      AbortSignal.timeout(TIMEOUT_MS));
    if (response.status === 304) return { body: null, etag };
    try {
      return { body: await response.json(), etag: response.headers.get("ETag") };
    } catch (error) {
      throw new Unreachable(String(error));
    }
  }

  // Returns the response as soon as its head is there; a refusal is thrown.
  async open(path, query, headers, signal) {
    let response;
    try {
      response = await fetch(`/api/v1${path}?${new URLSearchParams(query)}`, {
        headers: this.token ? { Authorization: `Bearer ${this.token}`, ...headers } : { ...headers },
        // The page keeps the tags itself: a browser's cache would turn 304 into 200.
        cache: "no-store",
        signal,
      });
    } catch (error) {
      throw new Unreachable(String(error));
    }
    if (response.ok || response.status === 304) return response;
    // A proxy's refusals need not be JSON.
    const problem = await response.json().catch(() => ({}));
    // Such a proxy says that there is no gateway behind it.
    if (response.status === 502 || response.status === 504) throw new Unreachable("no gateway");
    throw new Refusal(response.status, problem, response.headers.get("Retry-After"));
  }
}

// Read, not verified: that is the gateway's, and the page only asks what to show.
function readClaims(token) {
  try {
    const text = atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"));
    return JSON.parse(new TextDecoder().decode(Uint8Array.from(text, (c) => c.charCodeAt(0)))) ?? {};
  } catch {
    return {};
  }
}

// Say in plain words what happened and what to do.
export function explain(error) {
  if (error instanceof Unreachable) {
    return "The connection to the server is lost. The board below is the last one known; it goes on by itself once the server answers.";
  }
  if (!(error instanceof Refusal)) return `Something went wrong in this page: ${error.message}. Load it again.`;
  const wait = error.retryAfterMs ? ` Asked again in ${Math.ceil(error.retryAfterMs / 1000)} s.` : " Asked again shortly.";
  switch (error.status) {
    case 401: return `Your token is not accepted (${error.message}). Sign in with a new one.`;
    case 403: return `Your token does not allow this (${error.message}). Ask whoever runs the exam for another.`;
    case 404: return error.code === "exam_not_found"
      ? "There is no such exam. Choose another one above."
      : "This was not found. It may be gone since; load the page again.";
    case 429: return `You have asked more often than is allowed.${wait} Close other tabs of this board.`;
    case 503: return `The server is up, but its database cannot be had just now.${wait} No score is lost by that.`;
    default: return `The server could not answer (${error.message}).${wait}`;
  }
}
