# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""The tokenizer of the tiny model: whole words of indoor spatial questions, and bytes for the rest.

Made here and stored nowhere, so that it is the same everywhere: a known word is one token, with or
without the space before it; digits stand alone; anything else is spelled in UTF-8 bytes, so that
any text round-trips.
"""

from __future__ import annotations

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

MARKERS = ('<|endoftext|>', '<|im_start|>', '<|im_end|>', '<Pos>', '<Ori>')

_THINGS = """
air armchair backpack bag ball balloon banner bar basket bathtub bear bed bench bicycle bin blanket
blind board boiler book bookcase bookshelf bottle bowl box bread broom bucket building bunk button
cabinet cable calendar camera candle cap car carpet cart ceiling chair chandelier charger clock
closet cloth coat column computer container cooker copier corner couch counter crate crib cup
cupboard curtain cushion desk dish dishwasher dispenser display divider dog doll door doorframe
doorway drawer dresser drum dryer dumbbell elevator extinguisher fan faucet file fireplace floor
flower folder footrest foosball frame fridge furnace furniture game globe guitar hamper handle
handrail hanger hat headboard headphone heater helmet hook hose hoodie instrument iron item jacket
jar kettle key keyboard kitchenette knife ladder lamp laptop laundry ledge light lid locker luggage
machine magazine mailbox mat mattress microwave mirror monitor mop mouse mug napkin newspaper
nightstand notebook object ottoman oven painting pan panel paper person phone photo piano picture
pillar pillow pipe pitcher plant plate plunger poster pot printer projector purse rack radiator
rail range recliner refrigerator robot robe rod rug scale scanner screen seat sheet shelf shirt shoe
shower sign sink soap sofa speaker stair stand stapler statue stick stool stove structure stuff
suitcase switch table tank tape telephone television thermostat tissue toaster toilet tool
toothbrush towel toy trash tray tree treadmill tripod trolley tube tv umbrella vacuum vase vent
wall wardrobe washer watch water weight wheel whiteboard window windowsill wire workbench
"""

_PLACES = """
apartment area attic basement bathroom bedroom building cafe classroom corridor dining door entrance
entry exit foyer garage garden gym hall hallway home hotel house kitchen laboratory landing library
living lobby lounge office pantry place restroom room scene shop side spot stairs staircase storage
store studio study terrace workshop zone
"""

_RELATIONS = """
above across ahead along among apart around aside away back backward behind below beneath beside
between beyond bottom by center centre clockwise close closer closest corner counterclockwise
diagonally direction distance down downstairs east edge end far farther farthest first forward from
front further half hanging head heading here in inside into inward last leaning left leftmost
lengthwise level lower lowest lying middle mounted near nearby nearer nearest next north of off on
onto opposite out outside over parallel past perpendicular placed right rightmost second side
sideways south standing straight surface there third through to top touching toward towards turn
turned turning twice under underneath up upper upstairs upward view visible west where within
without diagonal vertical horizontal
"""

_QUALITIES = """
able available bare beige big bigger biggest black blue bright broken brown bronze circular clean
clear clothed cold color colour colored comfortable common cream curved dark deep different dirty
dry dull empty equal even existing flat floral folded free full fuller glass gold golden good gray
great green grey hard hidden high higher highest hot huge identical large larger largest leather
light lit little long longer longest low main many marble maroon metal metallic missing multiple
narrow navy neat new nice odd old open orange oval patterned pink plastic plain possible purple
quiet rectangular red reflective rough round rounded safe same shape shaped sharp shiny short
shorter shortest shut similar single silver size small smaller smallest smooth soft solid square
stacked steel stone striped strong tall taller tallest tan teal thick thin tidy tiny transparent
triangular true turquoise unlit used violet warm wet white whole wide wider widest wood wooden wrong
yellow young color material type kind style amount number total length width height depth volume
"""

_ACTIONS = """
add answer approach arrive ask avoid bring brush call carry change charge check clean cleaned climb
close closed come compare connect contain containing contains cook cooking cover covered cross cut
describe did do does doing done draw drink drive dry eat enter estimate exercise exit face faces
facing find finish fit follow found get give go goes going grab guess guide had hang has have having
hear heat help hold holding identify is keep know lead leave lie lies listen live locate located
look looking looks made make mean measure meet move moved moving name navigate need notice open
opened pass pick play playing point pointing pour press print pull push put reach read remain
rest return rotate run said sat say see seen show sit sits sitting sleep stand stands start starting
stay step stop store take tell think throw touch travel try turn use using visit wait walk walking
want wash watch wear went work working write written
"""

_FUNCTION_WORDS = """
a about according after again against all almost already also always am an and another any anyone
anything appear appears approximately are as at be because been before being best both but can
could current currently day each either else enough every everything exactly except few fewer for
given her hers him his how however i if image instead it its just least less let like likely lot m
ma may maybe me meter meters metre metres mine more most much must my myself neither never no none
nor not nothing now once one only or other others our own part per perhaps please probably question
quite rather really s same several she should since situation so some somebody someone something
still such sure than thank that the their them then these they thing things this those thus time
times too two unknown until upon us usually very video want was way we well were what when whether
which while who whom whose why will wish with would yes yet you your yourself zero three four five
six seven eight nine ten eleven twelve twenty hundred degree degrees percent cm centimeter
centimeters centimetre centimetres foot feet inch inches km minute minutes second seconds hour hours
agent assistant user system helpful option options letter choose true false
"""

_STARTERS = """
a according all am an and approximately are around at behind between both by can choose close could
count describe did do does estimate facing find five for four from give go going how i if in inside
is it left let look looking move my name near next no none not of on one only or please point right
show sitting some standing starting stop straight tell that the their there these they this those
three to turn two under walk walking was we were what when where which while who whose why will with
would yes you your
"""

_ENDINGS = ("'s", "'m", "'re", "'ve", "'t", "'ll", "'d")


def tiny_tokenizer() -> Tokenizer:
    """Build the tokenizer; the same in every run and version."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    known = dict.fromkeys([*MARKERS, *alphabet, *_ENDINGS, *_written_forms()])
    vocabulary = {token: index for index, token in enumerate(known)}
    # Without merges, but with what is in the vocabulary taken whole: a list of words.
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(
        [AddedToken(marker, special=True, normalized=False) for marker in MARKERS]
    )
    return tokenizer


def _written_forms() -> list[str]:
    """Each word as it is written: after a space (Ġ in byte-level terms), or first in a line."""
    things = _THINGS.split()
    lists = (_PLACES, _RELATIONS, _QUALITIES, _ACTIONS, _FUNCTION_WORDS)
    words = sorted({*things, *map(_plural, things), *' '.join(lists).split()})
    starters = [word.capitalize() for word in _STARTERS.split()]
    return [space + word for space in ('Ġ', '') for word in (*words, *starters)]


def _plural(thing: str) -> str:
    irregular = {'person': 'people', 'mouse': 'mice', 'knife': 'knives', 'stuff': 'stuff'}
    if thing in irregular:
        return irregular[thing]
    if thing.endswith('lf'):
        return f'{thing[:-1]}ves'
    return thing + ('es' if thing.endswith(('s', 'x', 'sh', 'ch')) else 's')
