/**
 * A worker that reads files of models from the addresses that a person has confirmed. The page and
 * its other workers may reach their own origin only: this script is the one with another
 * Content-Security-Policy. Takes {id, url, method, range} or {id, cancel: true}; answers each request
 * once, with {id, status, contentRange, contentLength, bytes} or {id, error: {name, message}}.
 */
const controllers = new Map();

async function answer({ id, url, method, range }) {
  const controller = new AbortController();
  controllers.set(id, controller);
  try {
    const response = await fetch(url, {
      method,
      credentials: 'omit',
      referrerPolicy: 'no-referrer',
      signal: controller.signal,
      ...(range === undefined ? {} : { headers: { Range: range } }),
    });
    const isWanted = method === 'GET' && response.status === (range === undefined ? 200 : 206);
    if (!isWanted) await response.body?.cancel();
    const bytes = isWanted ? await response.arrayBuffer() : new ArrayBuffer(0);
    const contentRange = response.headers.get('content-range');
    const contentLength = response.headers.get('content-length');
    postMessage({ id, status: response.status, contentRange, contentLength, bytes }, [bytes]);
  } catch (error) {
    postMessage({ id, error: { name: error.name, message: error.message } });
  } finally {
    controllers.delete(id);
  }
}

addEventListener('message', ({ data }) => {
  if (data.cancel === true) controllers.get(data.id)?.abort();
  else answer(data);
});
