-- E11 on SQLite. A movement makes the balances follow; nothing else can write them: every change of a balance must
-- name, in ledger_position, a movement newer than the one before, and be exactly what that movement does. As a movement
-- is applied the moment it is written, none is ever left over for anybody to name.
DROP VIEW IF EXISTS ledger_effect
-- ;;
-- What one copy of each kind of movement does to the balances of its item, and to what its parent has split.
CREATE VIEW ledger_effect AS
  SELECT 'issue' AS kind, 1 AS quantity, 1 AS available, 0 AS activated, 0 AS parent_split
  UNION ALL SELECT 'adjust', 1, 1, 0, 0
  UNION ALL SELECT 'revoke', -1, -1, 0, 0
  UNION ALL SELECT 'split', 1, 1, 0, 1
  UNION ALL SELECT 'undo', -1, -1, 0, -1
  UNION ALL SELECT 'activate', 0, -1, 1, 0
  UNION ALL SELECT 'return', 0, 1, -1, 0
-- ;;
CREATE TRIGGER ledger_movement_fits BEFORE INSERT ON entitlements_movement
BEGIN
  SELECT RAISE(ABORT, 'ledger: a movement names the item and, where copies come from it or go to it, the parent')
  WHERE NEW.kind NOT IN ('activate', 'return')
    AND (SELECT parent_id FROM entitlements_lineitem WHERE id = NEW.item_id) IS NOT NEW.parent_id;
  SELECT RAISE(ABORT, 'ledger: copies are activated on a device, and return from it, by the activation of their own item')
  WHERE NEW.activation_id IS NOT NULL
    AND (SELECT item_id FROM entitlements_activation WHERE id = NEW.activation_id) IS NOT NEW.item_id;
  SELECT RAISE(ABORT, 'ledger: movements are append-only') -- INSERT OR REPLACE would put one in another's place
  WHERE EXISTS (SELECT 1 FROM entitlements_movement WHERE id = NEW.id);
END
-- ;;
CREATE TRIGGER ledger_movement_applies AFTER INSERT ON entitlements_movement
BEGIN
  UPDATE entitlements_lineitem SET
    available = entitlements_lineitem.available - NEW.copies * effect.parent_split,
    split = entitlements_lineitem.split + NEW.copies * effect.parent_split,
    ledger_position = NEW.id
  FROM ledger_effect AS effect
  WHERE effect.kind = NEW.kind AND entitlements_lineitem.id = NEW.parent_id;
  UPDATE entitlements_lineitem SET
    quantity = entitlements_lineitem.quantity + NEW.copies * effect.quantity,
    available = entitlements_lineitem.available + NEW.copies * effect.available,
    activated = entitlements_lineitem.activated + NEW.copies * effect.activated,
    ledger_position = NEW.id
  FROM ledger_effect AS effect
  WHERE effect.kind = NEW.kind AND entitlements_lineitem.id = NEW.item_id;
  UPDATE entitlements_activation SET
    copies = entitlements_activation.copies + NEW.copies * effect.activated,
    ledger_position = NEW.id
  FROM ledger_effect AS effect
  WHERE effect.kind = NEW.kind AND entitlements_activation.id = NEW.activation_id;
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
    SELECT 1 FROM entitlements_movement m JOIN ledger_effect effect ON effect.kind = m.kind
    WHERE m.id = NEW.ledger_position AND m.id > OLD.ledger_position AND (
      (m.item_id = NEW.id AND NEW.split = OLD.split
        AND NEW.quantity - OLD.quantity = m.copies * effect.quantity
        AND NEW.available - OLD.available = m.copies * effect.available
        AND NEW.activated - OLD.activated = m.copies * effect.activated)
      OR
      (m.parent_id = NEW.id AND NEW.quantity = OLD.quantity AND NEW.activated = OLD.activated
        AND NEW.split - OLD.split = m.copies * effect.parent_split
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
-- ;;
CREATE TRIGGER ledger_activation_starts_at_zero BEFORE INSERT ON entitlements_activation
BEGIN
  SELECT RAISE(ABORT, 'ledger: a new activation starts at 0') WHERE NEW.copies <> 0 OR NEW.ledger_position <> 0;
  SELECT RAISE(ABORT, 'ledger: activations are never deleted') -- nor replaced
  WHERE EXISTS (SELECT 1 FROM entitlements_activation
    WHERE id = NEW.id OR (item_id = NEW.item_id AND device_id = NEW.device_id));
END
-- ;;
CREATE TRIGGER ledger_activation_balances BEFORE UPDATE OF copies, ledger_position ON entitlements_activation
WHEN NEW.copies <> OLD.copies OR NEW.ledger_position <> OLD.ledger_position
BEGIN
  SELECT RAISE(ABORT, 'ledger: balances follow from movements')
  WHERE NOT EXISTS (
    SELECT 1 FROM entitlements_movement m JOIN ledger_effect effect ON effect.kind = m.kind
    WHERE m.id = NEW.ledger_position AND m.id > OLD.ledger_position AND m.activation_id = NEW.id
      AND NEW.copies - OLD.copies = m.copies * effect.activated
  );
END
-- ;;
CREATE TRIGGER ledger_activation_fixed BEFORE UPDATE ON entitlements_activation
WHEN NEW.id <> OLD.id OR NEW.item_id <> OLD.item_id OR NEW.device_id <> OLD.device_id
BEGIN
  SELECT RAISE(ABORT, 'ledger: item and device of an activation never change');
END
-- ;;
CREATE TRIGGER ledger_activation_no_delete BEFORE DELETE ON entitlements_activation
BEGIN
  SELECT RAISE(ABORT, 'ledger: activations are never deleted');
END
-- ;;
-- Sealing. Who writes a movement cannot keep it out of the queue; leaves, nodes and heads are only ever added.
CREATE TRIGGER ledger_movement_waits AFTER INSERT ON entitlements_movement
BEGIN
  INSERT INTO entitlements_unsealedmovement (movement_id) VALUES (NEW.id);
END
-- ;;
CREATE TRIGGER ledger_item_code_fixed BEFORE UPDATE ON entitlements_lineitem
WHEN NEW.verification_code <> OLD.verification_code
BEGIN
  SELECT RAISE(ABORT, 'ledger: the verification code of a line item never changes');
END
-- ;;
CREATE TRIGGER ledger_leaf_no_replace BEFORE INSERT ON entitlements_ledgerleaf
BEGIN
  SELECT RAISE(ABORT, 'ledger: leaves are append-only')
  WHERE EXISTS (SELECT 1 FROM entitlements_ledgerleaf WHERE number = NEW.number OR movement_id = NEW.movement_id);
END
-- ;;
CREATE TRIGGER ledger_leaf_no_update BEFORE UPDATE ON entitlements_ledgerleaf
BEGIN
  SELECT RAISE(ABORT, 'ledger: leaves are append-only');
END
-- ;;
CREATE TRIGGER ledger_leaf_no_delete BEFORE DELETE ON entitlements_ledgerleaf
BEGIN
  SELECT RAISE(ABORT, 'ledger: leaves are append-only');
END
-- ;;
CREATE TRIGGER ledger_node_no_replace BEFORE INSERT ON entitlements_ledgernode
BEGIN
  SELECT RAISE(ABORT, 'ledger: nodes are append-only')
  WHERE EXISTS (SELECT 1 FROM entitlements_ledgernode WHERE number = NEW.number);
END
-- ;;
CREATE TRIGGER ledger_node_no_update BEFORE UPDATE ON entitlements_ledgernode
BEGIN
  SELECT RAISE(ABORT, 'ledger: nodes are append-only');
END
-- ;;
CREATE TRIGGER ledger_node_no_delete BEFORE DELETE ON entitlements_ledgernode
BEGIN
  SELECT RAISE(ABORT, 'ledger: nodes are append-only');
END
-- ;;
CREATE TRIGGER ledger_head_no_replace BEFORE INSERT ON entitlements_ledgerhead
BEGIN
  SELECT RAISE(ABORT, 'ledger: heads are append-only')
  WHERE EXISTS (SELECT 1 FROM entitlements_ledgerhead WHERE size = NEW.size);
END
-- ;;
CREATE TRIGGER ledger_head_no_update BEFORE UPDATE ON entitlements_ledgerhead
BEGIN
  SELECT RAISE(ABORT, 'ledger: heads are append-only');
END
-- ;;
CREATE TRIGGER ledger_head_no_delete BEFORE DELETE ON entitlements_ledgerhead
BEGIN
  SELECT RAISE(ABORT, 'ledger: heads are append-only');
END
-- ;;
CREATE TRIGGER ledger_key_fixed BEFORE UPDATE ON entitlements_signingkey
WHEN NEW.id <> OLD.id OR NEW.key_id <> OLD.key_id OR NEW.public_key <> OLD.public_key OR OLD.compromised_at IS NOT NULL
  OR (OLD.retired_at IS NOT NULL AND (NEW.retired_at IS NOT OLD.retired_at OR NEW.created_at <> OLD.created_at OR NEW.compromised_at IS NULL))
BEGIN
  SELECT RAISE(ABORT, 'ledger: a public key never changes, and a retired key is marked as compromised at most');
END
-- ;;
CREATE TRIGGER ledger_key_no_delete BEFORE DELETE ON entitlements_signingkey
BEGIN
  SELECT RAISE(ABORT, 'ledger: public keys stay');
END
-- ;;
-- Records. The rows that are sealed besides movements are queued where they are made, and stay as they were made.
CREATE TRIGGER ledger_item_recorded AFTER INSERT ON entitlements_lineitem
BEGIN
  INSERT INTO entitlements_unsealedrecord (kind, subject) VALUES ('item', NEW.id);
END
-- ;;
CREATE TRIGGER ledger_license_recorded AFTER INSERT ON entitlements_license
BEGIN
  INSERT INTO entitlements_unsealedrecord (kind, subject) VALUES ('license', NEW.id);
END
-- ;;
CREATE TRIGGER ledger_license_end_recorded AFTER UPDATE ON entitlements_license
WHEN OLD.ended_at IS NULL AND NEW.ended_at IS NOT NULL
BEGIN
  INSERT INTO entitlements_unsealedrecord (kind, subject) VALUES ('license-end', NEW.id);
END
-- ;;
CREATE TRIGGER ledger_audit_recorded AFTER INSERT ON accounts_auditentry
BEGIN
  INSERT INTO entitlements_unsealedrecord (kind, subject) VALUES ('audit', NEW.id);
END
-- ;;
CREATE TRIGGER ledger_license_fixed BEFORE UPDATE ON entitlements_license
WHEN OLD.ended_at IS NOT NULL OR NEW.id <> OLD.id OR NEW.license_id <> OLD.license_id
  OR NEW.activation_id <> OLD.activation_id OR NEW.copies <> OLD.copies OR NEW.file <> OLD.file
  OR NEW.digest <> OLD.digest OR NEW.key_id <> OLD.key_id OR NEW.issued_at <> OLD.issued_at
BEGIN
  SELECT RAISE(ABORT, 'ledger: a license is given out once and ends once');
END
-- ;;
CREATE TRIGGER ledger_license_no_delete BEFORE DELETE ON entitlements_license
BEGIN
  SELECT RAISE(ABORT, 'ledger: licenses are never deleted');
END
-- ;;
CREATE TRIGGER ledger_audit_no_update BEFORE UPDATE ON accounts_auditentry
BEGIN
  SELECT RAISE(ABORT, 'ledger: the audit trail is append-only');
END
-- ;;
CREATE TRIGGER ledger_audit_no_delete BEFORE DELETE ON accounts_auditentry
BEGIN
  SELECT RAISE(ABORT, 'ledger: the audit trail is append-only');
END
-- ;;
CREATE TRIGGER ledger_records_no_update BEFORE UPDATE ON entitlements_sealedrecords
BEGIN
  SELECT RAISE(ABORT, 'ledger: sealed records are append-only');
END
-- ;;
CREATE TRIGGER ledger_records_no_delete BEFORE DELETE ON entitlements_sealedrecords
BEGIN
  SELECT RAISE(ABORT, 'ledger: sealed records are append-only');
END
-- ;;
-- A head covers exactly the leaves that there are, is newer than those before, and names the key that signs now.
CREATE TRIGGER ledger_head_follows BEFORE INSERT ON entitlements_ledgerhead
BEGIN
  SELECT RAISE(ABORT, 'ledger: a head covers all leaves, and is signed by the key in use')
  WHERE NEW.size <> (SELECT coalesce(max(number) + 1, 0) FROM entitlements_ledgerleaf)
    OR NEW.size <= (SELECT coalesce(max(size), 0) FROM entitlements_ledgerhead)
    OR NOT EXISTS (SELECT 1 FROM entitlements_signingkey WHERE id = NEW.key_id AND retired_at IS NULL);
END
