-- What is kept of a person is found by the person.
create index reservations_user_idx on reservations (user_id, id) where user_id is not null;
create index stock_movements_actor_idx on stock_movements (actor_id, id) where actor_id is not null;
