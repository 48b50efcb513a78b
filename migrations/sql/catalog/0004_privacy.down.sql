drop index stock_movements_actor_idx;
drop index reservations_user_idx;
