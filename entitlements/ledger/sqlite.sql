-- E11 on SQLite. A movement makes the balances follow; nothing else can write them: every change of a balance must
-- name, in ledger_position, a movement newer than the one before, and be exactly what that movement does. As a movement
-- is applied the moment it is written, none is ever left over for anybody to name.
CREATE TRIGGER ledger_movement_fits BEFORE INSERT ON entitlements_movement
BEGIN
  SELECT RAISE(ABORT, 'ledger: a split or undo names the item and its parent')
  WHERE (SELECT parent_id FROM entitlements_lineitem WHERE id = NEW.item_id) IS NOT NEW.parent_id;
  SELECT RAISE(ABORT, 'ledger: movements are append-only') -- INSERT OR REPLACE would put one in another's place
  WHERE EXISTS (SELECT 1 FROM entitlements_movement WHERE id = NEW.id);
END
-- ;;
CREATE TRIGGER ledger_movement_applies AFTER INSERT ON entitlements_movement
BEGIN
  UPDATE entitlements_lineitem SET
    available = available - NEW.copies * (CASE NEW.kind WHEN 'split' THEN 1 ELSE -1 END),
    split = split + NEW.copies * (CASE NEW.kind WHEN 'split' THEN 1 ELSE -1 END),
    ledger_position = NEW.id
  WHERE id = NEW.parent_id;
  UPDATE entitlements_lineitem SET
    quantity = quantity + NEW.copies * (CASE NEW.kind WHEN 'undo' THEN -1 ELSE 1 END),
    available = available + NEW.copies * (CASE NEW.kind WHEN 'undo' THEN -1 ELSE 1 END),
    ledger_position = NEW.id
  WHERE id = NEW.item_id;
END
-- ;;
CREATE TRIGGER ledger_movement_no_update BEFORE UPDATE ON entitlements_movement
BEGIN
  SELECT RAISE(ABORT, 'ledger: movements are append-only');
END
-- ;;
CREATE TRIGGER ledger_movement_no_delete BEFORE DELETE ON entitlements_movement
BEGIN
  SELECT RAISE(ABORT, 'ledger: movements are append-only');
END
-- ;;
CREATE TRIGGER ledger_item_starts_at_zero BEFORE INSERT ON entitlements_lineitem
WHEN NEW.quantity <> 0 OR NEW.available <> 0 OR NEW.split <> 0 OR NEW.activated <> 0 OR NEW.ledger_position <> 0
BEGIN
  SELECT RAISE(ABORT, 'ledger: a new line item starts at 0');
END
-- ;;
CREATE TRIGGER ledger_item_balances BEFORE UPDATE OF quantity, available, split, activated, ledger_position
ON entitlements_lineitem
WHEN NEW.quantity <> OLD.quantity OR NEW.available <> OLD.available OR NEW.split <> OLD.split
  OR NEW.activated <> OLD.activated OR NEW.ledger_position <> OLD.ledger_position
BEGIN
  SELECT RAISE(ABORT, 'ledger: balances follow from movements')
  WHERE NOT EXISTS (
    SELECT 1 FROM entitlements_movement m
    WHERE m.id = NEW.ledger_position AND m.id > OLD.ledger_position AND NEW.activated = OLD.activated AND (
      (m.item_id = NEW.id AND NEW.split = OLD.split
        AND NEW.quantity - OLD.quantity = m.copies * (CASE m.kind WHEN 'undo' THEN -1 ELSE 1 END)
        AND NEW.available - OLD.available = NEW.quantity - OLD.quantity)
      OR
      (m.parent_id = NEW.id AND NEW.quantity = OLD.quantity
        AND NEW.split - OLD.split = m.copies * (CASE m.kind WHEN 'undo' THEN -1 ELSE 1 END)
        AND NEW.available - OLD.available = OLD.split - NEW.split)
    )
  );
END
-- ;;
CREATE TRIGGER ledger_item_fixed BEFORE UPDATE ON entitlements_lineitem
WHEN NEW.id <> OLD.id OR NEW.product_id <> OLD.product_id OR NEW.owner_id <> OLD.owner_id OR NEW.seller_id <> OLD.seller_id
  OR NEW.entitlement_id <> OLD.entitlement_id OR NEW.parent_id IS NOT OLD.parent_id
  OR NEW.distributor_id IS NOT OLD.distributor_id OR NEW.installer_id IS NOT OLD.installer_id
  OR NEW.end_customer_id IS NOT OLD.end_customer_id
BEGIN
  SELECT RAISE(ABORT, 'ledger: product, owner, parent and chain of a line item never change');
END
-- ;;
CREATE TRIGGER ledger_item_no_delete BEFORE DELETE ON entitlements_lineitem
BEGIN
  SELECT RAISE(ABORT, 'ledger: line items are never deleted');
END
-- ;;
CREATE TRIGGER ledger_item_of_order BEFORE INSERT ON entitlements_lineitem
BEGIN
  SELECT RAISE(ABORT, 'ledger: line items are never deleted') -- nor replaced
  WHERE EXISTS (SELECT 1 FROM entitlements_lineitem
    WHERE id = NEW.id OR activation_id = NEW.activation_id OR verification_code = NEW.verification_code);
  SELECT RAISE(ABORT, 'ledger: owner and seller of a line item are those of its entitlement')
  WHERE NOT EXISTS (SELECT 1 FROM entitlements_entitlement e
    WHERE e.id = NEW.entitlement_id AND e.owner_id = NEW.owner_id AND e.seller_id = NEW.seller_id);
END
-- ;;
CREATE TRIGGER ledger_item_child_of BEFORE INSERT ON entitlements_lineitem WHEN NEW.parent_id IS NOT NULL
BEGIN
  SELECT RAISE(ABORT, 'ledger: a split keeps the product, and its seller is the owner of its source')
  WHERE NOT EXISTS (SELECT 1 FROM entitlements_lineitem p
    WHERE p.id = NEW.parent_id AND p.product_id = NEW.product_id AND p.owner_id = NEW.seller_id);
END
-- ;;
CREATE TRIGGER ledger_entitlement_fixed BEFORE UPDATE ON entitlements_entitlement
WHEN NEW.id <> OLD.id OR NEW.owner_id <> OLD.owner_id OR NEW.seller_id <> OLD.seller_id
BEGIN
  SELECT RAISE(ABORT, 'ledger: owner and seller of an entitlement never change');
END
-- ;;
CREATE TRIGGER ledger_entitlement_no_delete BEFORE DELETE ON entitlements_entitlement
BEGIN
  SELECT RAISE(ABORT, 'ledger: entitlements are never deleted');
END
