// One request to the API, and what came of it in words.

const TIMEOUT_MS = 30_000; // API Gateway answers within 29 s

/**
 * What came of a request. `kind` is one of
 *   ok       2xx of this API
 *   token    401, 403: the token is not taken
 *   missing  404, or nothing that belongs to this API
 *   refused  another 4xx: it would be refused again
 *   busy     429: later; `wait` says how many ms
 *   failed   5xx: it may or may not have been done
 *   lost     no answer
 */
export async function request(method, path, token, body) {
  const headers = { authorization: `Bearer ${token}` };
  if (body !== undefined) headers["content-type"] = "application/json";
  let answer;
  let text;
  try {
    answer = await fetch(path, {
      method, headers, body, cache: "no-store", credentials: "omit", redirect: "error",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    text = await answer.text();
  } catch (error) {
    return { kind: "lost", status: 0, data: null, timedOut: error.name === "TimeoutError" };
  }
  const data = parse(text);
  const result = { kind: kindOf(answer.status, data), status: answer.status, data };
  if (result.kind === "busy") result.wait = 1000 * Math.min(30, Number(answer.headers.get("retry-after")) || 1);
  return result;
}

function parse(text) {
  try {
    const data = JSON.parse(text);
    return typeof data === "object" ? data : null;
  } catch {
    return null;
  }
}

function kindOf(status, data) {
  if (status >= 200 && status < 300) return data ? "ok" : "missing";
  // Other words than the API's are those of the site: it knows no such path.
  if (status === 401 || status === 403) return data?.error ? "token" : "missing";
  if (status === 404) return "missing";
  if (status === 429) return "busy";
  return status >= 500 ? "failed" : "refused";
}

function sentence(text) {
  const said = String(text ?? "").trim().replace(/\.$/, "");
  return said && `${said[0].toUpperCase()}${said.slice(1)}.`;
}

/** Return what is wrong and what to do, for people. */
export function explain(result) {
  const { kind, status, data } = result;
  const said = sentence(data?.error ?? data?.message);
  const allowed = data?.allowed ? ` Allowed: ${data.allowed}.` : "";
  switch (kind) {
    case "lost":
      return result.timedOut ? "No answer came in time." : "The API cannot be reached: there is no connection.";
    case "token":
      return status === 401
        ? "The API asks for a token (401): paste one."
        : "The API does not take this token (403): it is unknown, expired or withdrawn. Paste another.";
    case "busy":
      return "Too many requests at the moment, of all callers together (429). It goes on by itself.";
    case "failed":
      return `The API failed (${status}). ${said}`.trim();
    case "missing":
      return `There is no such thing at this address (${status}). ${said}`.trim();
    case "refused":
      return `The API refuses this (${status}). ${said}${allowed}`.trim();
    default:
      return said;
  }
}
