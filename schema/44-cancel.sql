-- Cancel requests that reached another process than their client's. Unlogged: of no use after a crash.
create unlogged table if not exists trailhound.cancel_request (
  id uuid primary key,
  pid integer not null,
  key bytea not null
);
comment on table trailhound.cancel_request is 'Requests to cancel that wait for the process whose client it is';
comment on column trailhound.cancel_request.pid is 'Of the client''s backend, as the request says';
comment on column trailhound.cancel_request.key is 'What the client was given with it';
revoke all on trailhound.cancel_request from public;
