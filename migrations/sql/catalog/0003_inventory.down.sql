drop table stock_movements;
drop function refuse_to_rewrite_movements;
drop table reservation_lines;
drop table reservations;
drop table inventory;
drop function note_availability;
drop function product_is_available;
