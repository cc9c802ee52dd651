// Tickets: what an op that takes time returns instead of its result, and how the event loop settles it.
const { Promise, SafeMap } = primordials;

const pending = new SafeMap();

/** The promise of a ticket's result. */
function ticketPromise(ticket) {
  return new Promise((resolve, reject) => pending.set(ticket, { __proto__: null, resolve, reject }));
}

/** Has a ticket settled by a call of the waiter's resolve(value) or reject(error). */
function expectTicket(ticket, waiter) { pending.set(ticket, waiter); }

/** Settles a ticket that the host has given up. */
function rejectTicket(ticket, reason) { entries.settle(ticket, true, reason); }

/** What an op returned, be it a result or the ticket for one. Ops that use this never return numbers as results. */
function settled(result) {
  return typeof result === "number" ? ticketPromise(result) : result;
}

entries.settle = (ticket, isError, value) => {
  const waiter = pending.get(ticket);
  if (waiter === undefined) return;
  pending.delete(ticket);
  if (isError) waiter.reject(value);
  else waiter.resolve(value);
};

/** The request that waited for them is over: nobody will hear of the results. */
entries.ticketsDrop = (tickets) => {
  for (let i = 0; i < tickets.length; i++) pending.delete(tickets[i]);
};

provide({ expectTicket, rejectTicket, settled, ticketPromise });
