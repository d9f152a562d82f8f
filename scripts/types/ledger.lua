---@meta
--- host.ledger: the record, for commands (bindings/ledger.c and beside it).

---@class host.ledger
host.ledger = {}
--- Rows {run, began_at, ended_at?, exit_code?, command, policy?,
--- policy_sha256?, options?, summary?}, newest first; times are RFC 3339,
--- options and summary are decoded tables.
function host.ledger.runs(most) end
--- Rows {seq, run, at, kind, request_id?, data, hash}, oldest first. Calls
--- f(row) for each; stops when it returns true.
---@param filter {run:integer?, request_id:string?, after_seq:integer?}
function host.ledger.events(filter, f) end
function host.ledger.residue(id) end        --- rows {request_id, link, exception}
function host.ledger.open() end             --- rows {request_id}
function host.ledger.holds() end            --- rows {request_id, at, reason}
function host.ledger.looked(endpoint) end   --- these four: as in core
function host.ledger.quarantined(id) end
function host.ledger.input_files(id) end
function host.ledger.changes(run) end
--- Rows {seq, run, at, request_id, data} of what was seen, oldest first.
function host.ledger.probes(id) end
function host.ledger.hold_add(ids, reason) end      --- true | nil, err
function host.ledger.hold_remove(ids) end   --- true | nil, err, id
--- {events, head, root, checkpoint, ledger, at_ms} of one moment | nil, err
--- (err.seq is the first that does not fit)
function host.ledger.verify() end
--- Proves some of the first `size` events; seqs rise. {root, events, rest} |
--- nil, err: their bytes, and {first, hash} of the rest of the tree, unsorted.
function host.ledger.prove(seqs, size) end
--- How all deletions stand: rows {state, count, declared = 0|1, held = 0|1,
--- oldest_ms?, since_ms?}; times for what is neither deleted nor gone: when
--- the oldest request ended, when the oldest intent was written.
function host.ledger.tally() end
function host.ledger.head() end     --- {events, bytes, head?, at_ms?, ledger?}
function host.ledger.holder() end   --- pid of the run that is on, 0, or nil
host.ledger.path = ""
host.ledger.there = true    --- false: there was no file when it was opened
